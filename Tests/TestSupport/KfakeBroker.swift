import Foundation

/// franz-go's Kafka in memory, one broker on 127.0.0.1; ended with the last reference to it.
package final class KfakeBroker: Sendable {
    package let bootstrap: String
    /// What a client sets to log in.
    package let properties: [String: String]
    private let running: RunningProgram

    /// The program: `KFAKE` in the environment, else `kfake` beside a Kafka distribution or in `PATH`; nil where there
    /// is none.
    package static let program: String? = {
        let environment = ProcessInfo.processInfo.environment
        var candidates = [environment["KFAKE"] ?? ""]
        candidates += KafkaHome.all.map { URL(filePath: $0.path).deletingLastPathComponent().path + "/kfake" }
        candidates += (environment["PATH"] ?? "").split(separator: ":").map { $0 + "/kfake" }
        return candidates.first { !$0.isEmpty && FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// Starts a broker.
    ///
    /// - Parameter security: In plain, with a login or without.
    /// - Throws: `ProgramError` where it doesn't start.
    package static func start(_ security: KafkaSecurity) async throws -> KfakeBroker {
        guard let program else { throw ProgramError("there is no program kfake here") }
        let port = try freePort()
        var arguments = ["-ports", "\(port)"]
        var properties: [String: String] = [:]
        if security != .plain {
            arguments += ["-sasl", "\(security.rawValue):alice:alice-secret"]
            properties = [
                "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": security.rawValue,
                "sasl.username": "alice", "sasl.password": "alice-secret",
            ]
        }
        let running = try await RunningProgram.start(program, arguments)
        // It listens within milliseconds; a client tries that long.
        return KfakeBroker(bootstrap: "127.0.0.1:\(port)", properties: properties, running: running)
    }

    private init(bootstrap: String, properties: [String: String], running: RunningProgram) {
        self.bootstrap = bootstrap
        self.properties = properties
        self.running = running
    }
}
