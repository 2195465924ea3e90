import Foundation

/// Real Kafka brokers on 127.0.0.1, run by `scripts/kafka.sh`. They end with the last reference to this object.
package final class KafkaCluster: Sendable {
    package let home: KafkaHome
    package let brokers: Int
    /// The brokers' addresses, `host:port`, separated by commas. A restarted broker keeps its address.
    package let bootstrap: String
    private let server: ServerFolder

    private static let sharedClusters = SharedServers<KafkaCluster>()

    /// Starts one or three brokers, each also a controller, and waits until they are ready.
    ///
    /// - Parameters:
    ///   - port: The port of the first broker, which the others' follow; nil for any free ports.
    ///   - settings: Broker settings by Kafka's names. %I in a value is replaced by the broker's number.
    ///   - isSecure: Whether to add listeners with TLS and logins; see `SecureKafkaCluster`.
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

    /// The test process's shared cluster of this version and size, with default settings. Do not stop or kill its
    /// brokers.
    package static func shared(_ home: KafkaHome, brokers: Int = 1) async throws -> KafkaCluster {
        try await sharedClusters.server("\(home.path) \(brokers)") { try await start(home, brokers: brokers) }
    }

    private init(home: KafkaHome, brokers: Int, folder: ServerFolder) throws {
        self.home = home
        self.brokers = brokers
        server = folder
        bootstrap = try folder.line("bootstrap")
    }

    /// The folder that the script created.
    package var folder: URL { server.url }

    /// The folder of broker `broker` (from 1), with its `log`, `server.properties` and `data`.
    package func folder(broker: Int) -> URL { folder.appending(path: String(broker)) }

    /// Kills broker `broker` (from 1) with SIGKILL.
    package func kill(_ broker: Int) async throws { try await server.command("kill", [String(broker)]) }

    /// Stops broker `broker` cleanly, after its partitions have got other leaders.
    package func stop(_ broker: Int) async throws { try await server.command("stop", [String(broker)]) }

    /// Starts broker `broker` again and waits until it is ready.
    package func start(_ broker: Int) async throws { try await server.command("start", [String(broker)]) }

    /// Stops all brokers and removes their data.
    package func shutDown() async throws { try await server.remove() }

    /// Runs one of Kafka's own tools by its name in `scripts/kafka.sh`, such as `topics`. The caller passes
    /// `--bootstrap-server`.
    package func tool(
        _ name: String, _ arguments: [String], input: String = "", timeout: Duration = .seconds(60)
    ) async throws -> ProgramResult {
        try await run(
            Repository.script("kafka.sh"), ["tool", name] + arguments, environment: ["KAFKA_HOME": home.path],
            input: input, timeout: timeout)
    }
}
