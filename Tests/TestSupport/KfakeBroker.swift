import Foundation

/// franz-go's in-memory Kafka: one broker on 127.0.0.1. It ends with the last reference to this object.
package final class KfakeBroker: Sendable {
    package let bootstrap: String
    /// The client settings for its login.
    package let properties: [String: String]
    private let running: RunningProgram

    /// The program: `KFAKE` in the environment, otherwise `kfake` beside a Kafka distribution or in `PATH`; nil if
    /// there is none.
    package static let program: String? = {
        let environment = ProcessInfo.processInfo.environment
        var candidates = [environment["KFAKE"] ?? ""]
        candidates += KafkaHome.all.map { URL(filePath: $0.path).deletingLastPathComponent().path + "/kfake" }
        candidates += (environment["PATH"] ?? "").split(separator: ":").map { $0 + "/kfake" }
        return candidates.first { !$0.isEmpty && FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// Starts a broker.
    ///
    /// - Parameter security: Plaintext, with or without a login.
    /// - Throws: `ProgramError` if it does not start.
    package static func start(_ security: KafkaSecurity) async throws -> KfakeBroker {
        guard let program else { throw ProgramError("no program kfake found: set KFAKE to its path") }
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
        // It listens within milliseconds, and clients retry for longer than that.
        return KfakeBroker(bootstrap: "127.0.0.1:\(port)", properties: properties, running: running)
    }

    private init(bootstrap: String, properties: [String: String], running: RunningProgram) {
        self.bootstrap = bootstrap
        self.properties = properties
        self.running = running
    }
}
