import Foundation
import TestSupport

/// The message definitions of a Kafka installation: the one in the environment variable KAFKA_HOME, or else the newest
/// in KAFKA_HOMES.
enum KafkaDefinitions {
    /// The archive with the definitions; nil if there is none.
    static let archive: URL? = {
        let environment = ProcessInfo.processInfo.environment
        if let home = environment["KAFKA_HOME"] { return archive(in: home) }
        let homes = (environment["KAFKA_HOMES"] ?? "").split(separator: ":").compactMap { archive(in: String($0)) }
        return homes.max { left, right in
            left.lastPathComponent.compare(right.lastPathComponent, options: .numeric) == .orderedAscending
        }
    }()

    private static func archive(in home: String) -> URL? {
        let libraries = URL(filePath: home).appending(path: "libs")
        let files = try? FileManager.default.contentsOfDirectory(at: libraries, includingPropertiesForKeys: nil)
        return files?.first { $0.lastPathComponent.hasPrefix("kafka-clients-") && $0.pathExtension == "jar" }
    }

    /// Whether the installation is at least of the release whose API versions the library supports.
    static let isCurrent: Bool = {
        guard let name = archive?.deletingPathExtension().lastPathComponent else { return false }
        let version = name.dropFirst("kafka-clients-".count)
        return version.compare("4.3", options: .numeric) != .orderedAscending
    }()

    /// The definition of a message such as `FetchRequest`.
    static func message(_ name: String) async throws -> MessageDefinition {
        try MessageDefinition(json: try await text(of: name))
    }

    /// The text of a definition, with its comments.
    static func text(of name: String) async throws -> String {
        guard let text = try await texts.value[name] else {
            throw DefinitionError("the archive has no definition of \(name)")
        }
        return text
    }

    private static let texts = Task { () throws -> [String: String] in
        guard let archive else {
            throw DefinitionError("neither KAFKA_HOME nor KAFKA_HOMES names a Kafka installation")
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "definitions-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try await run(
            "unzip", ["-q", archive.path, "common/message/*.json", "-d", folder.path])
        guard result.status == 0 else {
            throw DefinitionError("unzip of \(archive.path) ended with status \(result.status): \(result.err)")
        }
        let messages = folder.appending(path: "common/message")
        var texts: [String: String] = [:]
        for file in try FileManager.default.contentsOfDirectory(at: messages, includingPropertiesForKeys: nil) {
            texts[file.deletingPathExtension().lastPathComponent] = try String(contentsOf: file, encoding: .utf8)
        }
        return texts
    }
}
