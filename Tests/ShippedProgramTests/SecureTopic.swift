import Foundation
import TestSupport

/// One test's own topic on the secure broker, and the access to it with one kind of security.
struct SecureTopic: Sendable {
    let cluster: SecureKafkaCluster
    let name: String
    /// The connection's options for `kafkawire`.
    let options: [String]
    /// The same settings in a properties file, for `--config`.
    let propertiesFile: String
    let bootstrap: String
    private let folder: TemporaryFolder

    /// Creates the topic with `kafkawire`.
    ///
    /// - Parameter partitions: The number of partitions; 0 to create no topic.
    init(_ security: KafkaSecurity, partitions: Int = 1) async throws {
        guard let home = KafkaHome.newest else { throw ProgramError(KafkaHome.skipReason) }
        cluster = try await SecureKafkaCluster.shared(home)
        name = "t-" + String(UInt64.random(in: 0..<1 << 60), radix: 36)
        let (bootstrap, properties) = cluster.access(security)
        self.bootstrap = bootstrap
        options =
            ["-b", bootstrap] + properties.sorted { $0.key < $1.key }.flatMap { ["-X", "\($0.key)=\($0.value)"] }
        folder = try TemporaryFolder()
        propertiesFile = folder.path + "/client.properties"
        let text = properties.map { "\($0.key) = \($0.value)\n" }.joined()
        try Data(text.utf8).write(to: URL(filePath: propertiesFile))
        if partitions > 0 {
            try await kafkawire(["topics", "create", name, "--partitions", "\(partitions)"])
        }
    }

    /// Runs `kafkawire` with the connection's options.
    ///
    /// - Parameter overrides: Settings that override those of the connection, as `NAME=VALUE`.
    @discardableResult
    func kafkawire(
        _ arguments: [String], overrides: [String] = [], input: String = "", status: Int32 = 0
    ) async throws -> ProgramResult {
        let last = overrides.flatMap { ["-X", $0] }
        return try await run("kafkawire", arguments + options + last, input: input, status: status)
    }

    /// Sends lines, each as a message.
    func send(_ lines: [String], _ more: [String] = []) async throws {
        try await kafkawire(["-P", "-t", name] + more, input: lines.map { $0 + "\n" }.joined())
    }

    /// Reads the topic from its beginning to its end, one line per message.
    func readAll(_ more: [String] = []) async throws -> [String] {
        lines(try await kafkawire(["-C", "-e", "-q", "-t", name] + more).out)
    }

    /// The codecs in a partition's log, as reported by Kafka's own tool.
    func storedCodecs(partition: Int) async throws -> Set<String> {
        let log = cluster.cluster.folder(broker: 1).appending(
            path: "data/\(name)-\(partition)/00000000000000000000.log")
        let result = try await cluster.cluster.tool("dump-log", ["--files", log.path])
        guard result.status == 0 else { throw ProgramError("dump-log ended with \(result.status): \(result.err)") }
        return Set(result.out.matches(of: /compresscodec: (\w+)/).map { String($0.1).lowercased() })
    }
}

/// Lines of many lengths, including one that fills many TLS records and its own batch.
func sampleLines(_ count: Int) -> [String] {
    var lines = (0..<count).map { "key\($0 % 7):line \($0) " + String(repeating: "äx", count: $0 % 200) }
    lines.append("long:" + String(repeating: "0123456789abcdef", count: 40_000))
    return lines
}
