import Foundation
import KafkaWire
import TestSupport
import Testing

@Suite("The version") struct VersionTests {
    private static func text(_ path: String) throws -> String {
        try String(contentsOf: Repository.root.appending(path: path), encoding: .utf8)
    }

    @Test("the newest entry of the changelog describes this version")
    func changelog() throws {
        let heading = try Self.text("CHANGELOG.md").split(separator: "\n").first { $0.hasPrefix("## ") }
        #expect(heading == "## \(KafkaWireVersion.current)")
    }

    @Test(
        "every other file that names the version names this one",
        arguments: ["Operations/kubernetes/init.yaml", "Operations/kubernetes/deployment.yaml", "docs/operations.md"])
    func files(path: String) throws {
        let text = try Self.text(path)
        let named = text.matches(of: /tfi-consumer[:_]([0-9][0-9A-Za-z.~-]*[0-9A-Za-z])/).map { String($0.1) }
        #expect(!named.isEmpty)
        for version in named {
            // Debian writes a tilde where semver.org has a hyphen.
            #expect(version.replacing("~", with: "-") == KafkaWireVersion.current, "\(path)")
        }
    }
}
