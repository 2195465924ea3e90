import Foundation

/// Real Kafka brokers on 127.0.0.1, run by `scripts/kafka.sh`; ended with the last reference to them.
package final class KafkaCluster: Sendable {
    package let home: KafkaHome
    package let brokers: Int
    /// The brokers' addresses, `host:port` with commas between. A broker that is started again keeps its own.
    package let bootstrap: String
    private let server: ServerFolder

    private static let sharedClusters = SharedServers<KafkaCluster>()

    /// Starts one or three brokers, each also a controller, and waits until they serve.
    ///
    /// - Parameters:
    ///   - port: The first broker's port, and the others' follow; nil for any that are free.
    ///   - settings: Broker settings by Kafka's names, in which %I is the broker's number.
    ///   - isSecure: Whether there are listeners with TLS and logins too; see `SecureKafkaCluster`.
    /// - Throws: `ProgramError` with the script's output.
    package static func start(
        _ home: KafkaHome, brokers: Int = 1, port: Int? = nil, settings: [String: String] = [:], isSecure: Bool = false
    ) async throws -> KafkaCluster {
        var options = ["--brokers", String(brokers)] + (isSecure ? ["--secure"] : [])
        if let port { options += ["--port", String(port)] }
        for (name, value) in settings { options += ["--set", "\(name)=\(value)"] }
        let folder = try await ServerFolder(
            script: "kafka.sh", options: options, environment: ["KAFKA_HOME": home.path])
        return try KafkaCluster(home: home, brokers: brokers, folder: folder)
    }

    /// The test process's own cluster of this version and size, with default settings; don't stop or kill its brokers.
    package static func shared(_ home: KafkaHome, brokers: Int = 1) async throws -> KafkaCluster {
        try await sharedClusters.server("\(home.path) \(brokers)") { try await start(home, brokers: brokers) }
    }

    private init(home: KafkaHome, brokers: Int, folder: ServerFolder) throws {
        self.home = home
        self.brokers = brokers
        server = folder
        bootstrap = try folder.line("bootstrap")
    }

    /// The folder that the script made.
    package var folder: URL { server.url }

    /// The folder of broker `broker` (from 1): its `log`, `server.properties` and `data`.
    package func folder(broker: Int) -> URL { folder.appending(path: String(broker)) }

    /// Kills broker `broker` (from 1) with SIGKILL.
    package func kill(_ broker: Int) async throws { try await server.command("kill", [String(broker)]) }

    /// Stops broker `broker` cleanly: its partitions get other leaders first.
    package func stop(_ broker: Int) async throws { try await server.command("stop", [String(broker)]) }

    /// Starts broker `broker` again and waits until it serves.
    package func start(_ broker: Int) async throws { try await server.command("start", [String(broker)]) }

    /// Ends all brokers and removes their data.
    package func shutDown() async throws { try await server.remove() }

    /// Runs one of Kafka's own tools by its name in `scripts/kafka.sh`, `topics` say; the caller gives
    /// `--bootstrap-server`.
    package func tool(
        _ name: String, _ arguments: [String], input: String = "", timeout: Duration = .seconds(60)
    ) async throws -> ProgramResult {
        try await run(
            Repository.script("kafka.sh"), ["tool", name] + arguments, environment: ["KAFKA_HOME": home.path],
            input: input, timeout: timeout)
    }
}
