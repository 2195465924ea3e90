import CommandLineSupport
import Concurrency
import Foundation
import KafkaWire
import PGWire

/// The connection to the database: made again when it is lost, for as long as it takes.
///
/// While the server does not answer this is reported. After a stop was requested the server has `grace` to answer; then
/// the running statement is cancelled and the connection broken, so that the program ends.
public actor Database {
    /// How long the server may take to answer after a stop was requested.
    static let grace = Duration.seconds(4)
    /// How long it may take to answer a request to cancel.
    private static let cancellationGrace = Duration.seconds(1)
    /// From when on a server that does not answer is reported.
    private static let patience = Duration.seconds(3)
    private static let checkInterval = Duration.milliseconds(250)
    /// How often work may fail with a connection that seems well before another one is made.
    private static let mostFailures = 5

    private let uri: String?
    private let applicationName: String
    private let timing: Timing
    private let stop: StopSignal
    private let observer: IngestObserver
    private let lockWait: LockWait
    private var connection: PostgresConnection?
    /// The attempt to connect that is under way, shared by all who wait for it.
    private var connecting: Task<PostgresConnection, any Error>?
    private var connectingSince: ContinuousClock.Instant?
    private var wait: Wait
    private var stoppedAt: ContinuousClock.Instant?
    /// When the running statement was cancelled because the grace was over.
    private var cancelledAt: ContinuousClock.Instant?
    /// Whether the last work of the run is under way.
    private var isFinishing = false
    private var supervisor: Task<Void, Never>?
    /// How often work with the present connection has failed since its last success.
    private var failures = 0
    /// Whether the last attempt of work that is no probe has failed.
    private var isWorkFailing = false
    private var lockLookup: Task<Void, Never>?
    private var nextLockLookup: ContinuousClock.Instant?
    private var stalledCopies: StalledCopies
    /// The session that was ended last.
    private var ended: LockHolder?

    /// How a lock that is waited for is dealt with.
    struct LockWait: Sendable {
        /// After what time of waiting the sessions that hold the lock are looked up.
        var patience = Duration.seconds(5)
        /// How often they are looked up.
        var interval = Duration.seconds(5)
        /// For how long a session's COPY may receive nothing before the session is ended.
        var stallLimit = StalledCopies.defaultLimit
    }

    /// - Parameters:
    ///   - uri: As libpq takes it; nil for the `PG*` environment.
    ///   - applicationName: What the server's views show.
    ///   - name: What the connection is called where the run tells what it waits for.
    public init(
        uri: String?, applicationName: String, timing: Timing = Timing(), stop: StopSignal,
        observer: IngestObserver, name: String = "database"
    ) {
        self.init(
            uri: uri, applicationName: applicationName, timing: timing, lockWait: LockWait(), stop: stop,
            observer: observer, name: name)
    }

    init(
        uri: String?, applicationName: String, timing: Timing = Timing(), lockWait: LockWait, stop: StopSignal,
        observer: IngestObserver = IngestObserver(), name: String = "database"
    ) {
        self.uri = uri
        self.applicationName = applicationName
        self.timing = timing
        self.lockWait = lockWait
        stalledCopies = StalledCopies(limit: lockWait.stallLimit)
        self.stop = stop
        self.observer = observer
        wait = Wait(name, observer)
    }

    deinit {
        supervisor?.cancel()
    }

    /// The connection, made if there is none. One attempt.
    ///
    /// - Throws: `PostgresError`.
    public func connected() async throws -> PostgresConnection {
        if let connection, !connection.isBroken { return connection }
        startSupervisor()
        if let connecting { return try await connecting.value }
        let (uri, name) = (uri, applicationName)
        let attempt = Task { try await Self.connect(to: uri, applicationName: name) }
        connecting = attempt
        connectingSince = timing.now()
        defer {
            connecting = nil
            connectingSince = nil
        }
        let new = try await attempt.value
        connection = new
        observer.metrics.connectedToDatabase()
        return new
    }

    /// A connection of its own.
    ///
    /// - Throws: `PostgresError`.
    public static func connect(to uri: String?, applicationName: String) async throws -> PostgresConnection {
        // Of several hosts the one that takes rows; the URI and the environment can say otherwise.
        let isSet = ProcessInfo.processInfo.environment["PGTARGETSESSIONATTRS"]?.isEmpty == false
        return try await PostgresConnection.connect(
            to: uri, defaults: isSet ? [:] : ["target_session_attrs": "read-write"], applicationName: applicationName)
    }

    public func close() async {
        supervisor?.cancel()
        supervisor = nil
        lockLookup?.cancel()
        await connection?.close()
        connection = nil
    }

    // MARK: Retrying

    /// Other work that had the same connection found it broken, and closed it meanwhile.
    private struct Replaced: Error {}

    /// Does something with the connection until it succeeds. Whatever isn't the data's fault is waited for.
    ///
    /// - Throws: Errors of the data, and those that aren't the database's; `Stopped` for a failure after a stop was
    ///   requested.
    public func retrying<Value: Sendable>(_ body: (PostgresConnection) async throws -> Value) async throws -> Value {
        let backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(2))
        var failures = 0
        while true {
            do {
                return try await attempt(body)
            } catch is Replaced {
                if stop.isRequested, !isFinishing || isGraceOver { throw Stopped() }
            } catch let error as PostgresError where error.isWorthWaitingFor {
                if stop.isRequested, !isFinishing || isGraceOver { throw Stopped() }
                failures += 1
                try await timing.sleep(backoff.delay(afterFailures: failures, random: timing.random()))
            }
        }
    }

    /// The same for the last work of a run, without which its end is no success: after a stop was requested, failures are
    /// retried until the grace is over.
    public func finishing<Value: Sendable>(_ body: (PostgresConnection) async throws -> Value) async throws -> Value {
        isFinishing = true
        defer { isFinishing = false }
        return try await retrying(body)
    }

    /// Whether the database has had its time after a stop was requested.
    private var isGraceOver: Bool {
        guard stop.isRequested else { return false }
        let now = timing.now()
        let since = stoppedAt ?? now
        stoppedAt = since
        return now - since >= Self.grace
    }

    /// Does something with the connection once, and reports a failure that a caller may wait for.
    ///
    /// - Parameter isProbe: Whether it only reads. A server that can be read may still refuse rows, so a success does not
    ///   end the wait of other work.
    /// - Throws: Also `Stopped`, for work that was cancelled because a stop was requested.
    func attempt<Value: Sendable>(
        isProbe: Bool = false, _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        var used: PostgresConnection?
        do {
            let open = try await connected()
            used = open
            let value = try await body(open)
            if !isProbe || !isWorkFailing { hasAnswered() }
            return value
        } catch let error as PostgresError where error.kind == .cancelled && stop.isRequested {
            throw Stopped()
        } catch let error as PostgresError where error.kind == .usage && used !== connection {
            throw Replaced()
        } catch let error as PostgresError where error.isWorthWaitingFor {
            failures += 1
            if !isProbe { isWorkFailing = true }
            // A server that has become a standby (25006) stays one, and other failures may be this connection's own.
            if let old = connection, used === old,
                old.isBroken || error.sqlState == "25006" || failures >= Self.mostFailures
            {
                connection = nil
                failures = 0
                await old.close()
            }
            report("\(error)", as: "\(error)")
            throw error
        } catch  where !(error is PostgresError) && !(error is CancellationError) && used?.isBroken == false {
            // What the work found isn't the database's fault.
            hasAnswered()
            throw error
        }
    }

    private func hasAnswered() {
        isWorkFailing = false
        failures = 0
        wait.succeeded("the database is back: continuing")
    }

    /// - Parameter kind: What makes a reason another one.
    private func report(_ reason: String, as kind: String) {
        wait.failed(kind, at: timing.now(), "waiting for the database: \(reason)")
    }

    // MARK: A server that does not answer

    private func startSupervisor() {
        guard supervisor == nil else { return }
        let timing = timing
        supervisor = Task { [weak self] in
            while (try? await timing.timeout(Self.checkInterval)) != nil { await self?.check() }
        }
    }

    private func check() {
        let now = timing.now()
        // PGWire knows only the system's clock.
        let busy = connection?.busySince.map { ContinuousClock.now - $0 } ?? .zero
        let waited = max(busy, connectingSince.map { now - $0 } ?? .zero)
        if waited >= Self.patience {
            report("it has not answered for \(waited.components.seconds) s", as: "silence")
        }
        if busy < lockWait.patience {
            nextLockLookup = nil
        } else if lockLookup == nil, nextLockLookup.map({ now >= $0 }) ?? true {
            nextLockLookup = now + lockWait.interval
            lookUpLock()
        }
        guard stop.isRequested else { return }
        let isGraceOver = isGraceOver
        // Nothing is lost without a connection.
        if !isFinishing || isGraceOver { connecting?.cancel() }
        guard busy > .zero, isGraceOver else { return }
        guard let since = cancelledAt else {
            cancelledAt = now
            connection?.cancel()
            return
        }
        if now - since >= Self.cancellationGrace { connection?.abort() }
    }

    /// Finds out which sessions hold a lock that the running statement waits for, and ends those that are stuck in a COPY.
    private func lookUpLock() {
        // Behind a pooler it may even be no valid process id; the lookup does without it then.
        let waiting = connection?.serverProcessID ?? 0
        let lookup = LockLookup(uri: uri, applicationName: applicationName)
        lockLookup = Task {
            defer { lockLookup = nil }
            guard let holders = try? await lookup.holders(blocking: waiting), !Task.isCancelled else { return }
            let stalled = stalledCopies.add(holders, at: timing.now())
            guard !holders.isEmpty, (connection?.serverProcessID ?? 0) == waiting else { return }
            let names = holders.map(\.description).joined(separator: "; ")
            report("a lock is held by \(names)", as: "lock of \(holders.map { "\($0.pid)" })")
            for holder in stalled { await end(holder, lookup) }
        }
    }

    /// Ends a session that holds a lock and is stuck in a COPY.
    private func end(_ holder: LockHolder, _ lookup: LockLookup) async {
        let cause = "it has sent no rows of its COPY for \(lockWait.stallLimit.components.seconds) s"
        do {
            guard try await lookup.end(holder), ended != holder else { return }
            ended = holder
            observer.log.warning("ended the session of \(holder), which held a lock: \(cause)")
        } catch let error as PostgresError where error.sqlState == "42501" {
            report(
                "a lock is held by \(holder), and \(cause); this user may not end it: a superuser or a member of "
                    + "pg_signal_backend has to run SELECT pg_terminate_backend(\(holder.pid))",
                as: "stuck \(holder.pid)")
        } catch {
            // The next lookup tries again.
        }
    }
}

extension Database {
    /// A group's offsets of some topics, in one attempt.
    ///
    /// - Returns: Nil if the database can't be asked.
    func offsets(of topics: Set<String>, in store: OffsetStore) async -> [TopicPartition: Int64]? {
        let entries = try? await attempt(isProbe: true) { connection in
            try await connection.transaction(prelude: Sink.transactionSettings) { session in
                try store.entries(of: topics, &session)
            }
        }
        return entries.map { entries in Dictionary(entries.map { ($0.partition, $0.nextOffset) }) { $1 } }
    }
}

/// The program is to end while it waits for something that isn't there.
public struct Stopped: Error {
    public init() {}
}

extension PostgresError {
    /// Whether the same attempt may succeed later. The sink splits batches before it comes to this, so no row is to blame.
    fileprivate var isWorthWaitingFor: Bool { kind != .cancelled && kind != .usage }
}
