import CommandLineSupport
import KafkaWire
import PGWire

/// The connection to the database: made again when it is lost, for as long as it takes.
actor Database {
    private let uri: String?
    private let timing: Timing
    private let stop: StopSignal
    private let say: @Sendable (String) -> Void
    private var connection: PostgresConnection?
    private var failures = 0

    /// - Parameters:
    ///   - uri: As libpq takes it; nil for the `PG*` environment.
    ///   - say: For the lines that tell of waiting and going on.
    init(uri: String?, timing: Timing = Timing(), stop: StopSignal, say: @escaping @Sendable (String) -> Void) {
        self.uri = uri
        self.timing = timing
        self.stop = stop
        self.say = say
    }

    /// The connection, made if there is none. One attempt.
    func connected() async throws(PostgresError) -> PostgresConnection {
        if let connection, !connection.isBroken { return connection }
        let new = try await PostgresConnection.connect(to: uri, applicationName: "tfi-consumer")
        // A commit that a crash of the server takes back takes its offsets back with it, and Kafka still has the
        // messages: so nothing is lost by not waiting for the disk at each one. `SetBack` tells of it.
        try await new.execute("SET synchronous_commit = off")
        connection = new
        return new
    }

    func close() async {
        await connection?.close()
        connection = nil
    }

    /// Does something with the connection until it succeeds. Whatever isn't the data's fault is waited for.
    ///
    /// - Throws: Errors of the data, and those that aren't the database's; `Stopped` where the program is to end before
    ///   the database is back.
    func retrying<Value: Sendable>(_ body: (PostgresConnection) async throws -> Value) async throws -> Value {
        let backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(2))
        while true {
            do {
                let value = try await body(try await connected())
                if failures > 0 { say("the database is back: going on") }
                failures = 0
                return value
            } catch let error as PostgresError where error.isWorthWaitingFor {
                if connection?.isBroken == true {
                    await connection?.close()
                    connection = nil
                }
                failures += 1
                if failures == 1 { say("waiting for the database: \(error)") }
                if stop.isRequested { throw Stopped() }
                try await timing.sleep(backoff.delay(afterFailures: failures, random: timing.random()))
            }
        }
    }
}

/// The program is to end while it waits for something that isn't there.
struct Stopped: Error {}

extension PostgresError {
    fileprivate var isWorthWaitingFor: Bool { !isDataError && kind != .cancelled && kind != .usage }
}
