import Foundation

/// A Kafka distribution on this machine.
package struct KafkaHome: Sendable, Hashable, CustomStringConvertible {
    /// Its folder, which contains `libs/`.
    package let path: String
    /// Its version, such as `4.3.1`, from the name of its client library.
    package let version: String

    package var description: String { "Kafka \(version)" }

    /// The distribution in a folder; nil if there is none.
    package init?(path: String) {
        let libraries = (try? FileManager.default.contentsOfDirectory(atPath: path + "/libs")) ?? []
        let versions = libraries.compactMap { $0.wholeMatch(of: /kafka-clients-(\d+(?:\.\d+)+)\.jar/)?.1 }
        guard let version = versions.first else { return nil }
        self.path = path
        self.version = String(version)
    }

    /// The distributions that tests use, newest first: those of `KAFKA_HOMES` (paths separated by colons), otherwise
    /// the one of `KAFKA_HOME`, otherwise those in `../shared/kafka` beside the repository. Empty without `java`.
    package static let all: [KafkaHome] = {
        guard hasJava else { return [] }
        let environment = ProcessInfo.processInfo.environment
        let paths: [String]
        if let homes = environment["KAFKA_HOMES"], !homes.isEmpty {
            paths = homes.split(separator: ":").map(String.init)
        } else if let home = environment["KAFKA_HOME"], !home.isEmpty {
            paths = [home]
        } else {
            let folder = Repository.root.deletingLastPathComponent().appending(path: "shared/kafka").path
            paths = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map { folder + "/" + $0 }
        }
        return paths.compactMap(KafkaHome.init).sorted {
            $0.version.compare($1.version, options: .numeric) == .orderedDescending
        }
    }()

    /// The newest distribution; nil if there is none.
    package static var newest: KafkaHome? { all.first }

    /// Why tests against real Kafka are skipped if `all` is empty.
    package static var skipReason: String {
        hasJava
            ? "no Kafka found: set KAFKA_HOME to the folder of a Kafka distribution"
            : "no java found to run Kafka with"
    }

    private static let hasJava: Bool = {
        let environment = ProcessInfo.processInfo.environment
        var folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        if let home = environment["JAVA_HOME"], !home.isEmpty { folders = [home + "/bin"] }
        return folders.contains { FileManager.default.isExecutableFile(atPath: $0 + "/java") }
    }()
}
