import CommandLineSupport
import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

@testable import KafkaWireTool

/// Settings files in the format of kcat and of Kafka's Java tools.
@Suite("Settings files", .timeLimit(.minutes(1)))
struct SettingsFileTests {
    private func withFile(_ content: String, _ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/settings"
        try content.write(toFile: path, atomically: true, encoding: .utf8)
        try await body(path)
    }

    private func settings(_ path: String) async throws -> [String: String] {
        let settings = try await SettingsFile.read(path)
        return Dictionary(settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }

    @Test func kcatFilesKeepBackslashes() async throws {
        let content = """
            # a comment
              metadata.broker.list=a:1,b:2\r
            sasl.password=a\\b\\c=d#e\\
            ssl.key.password = x \\: y\t
            topic.acks=1
            """
        try await withFile(content) { path in
            let read = try await settings(path)
            #expect(
                read == [
                    "metadata.broker.list": "a:1,b:2", "sasl.password": "a\\b\\c=d#e\\", "ssl.key.password": "x : y",
                    "topic.acks": "1",
                ])
        }
    }

    @Test func javaFilesContinueLines() async throws {
        let content = """
            bootstrap.servers: a:1, \\
              b:2
            ! another comment
            client.id=x\\ty
            """
        try await withFile(content) { path in
            let read = try await settings(path)
            #expect(read == ["bootstrap.servers": "a:1, b:2", "client.id": "x\ty"])
        }
    }

    @Test func anErrorNamesFileAndLine() async throws {
        try await withFile("client.id=x\n\nmetadata.broker.lst=h:1\n") { path in
            let failure = await #expect(throws: Failure.self) {
                try KafkaSettings(try await SettingsFile.read(path))
            }
            #expect(failure?.sentence.hasPrefix("\(path), line 3: there is no property metadata.broker.lst") == true)
        }
        try await withFile("sasl.username=u\nsecret words\n") { path in
            let failure = await #expect(throws: Failure.self) { try await SettingsFile.readKcat(path) }
            #expect(failure?.sentence == "\(path), line 2: NAME=VALUE is expected")
        }
    }

    @Test func locationsOfSettingsFiles() async throws {
        func identifier(_ options: [String], _ environment: [String: String]) async throws -> String? {
            var connection = ConnectionOptions()
            for (name, value) in zip(options, options.dropFirst()) where name.hasPrefix("-") {
                _ = try connection.take(name, value)
            }
            return try await connection.allSettings(environment: environment).properties["client.id"]
        }
        let home = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: home.path + "/.config", withIntermediateDirectories: false)
        for name in [".config/kcat.conf", "environment", "option"] {
            try "client.id=\(name)\n".write(toFile: "\(home.path)/\(name)", atomically: true, encoding: .utf8)
        }
        let environment = ["HOME": home.path, "KCAT_CONFIG": home.path + "/environment"]
        #expect(try await identifier([], ["HOME": home.path]) == ".config/kcat.conf")
        #expect(try await identifier([], environment) == "environment")
        #expect(try await identifier(["-F", home.path + "/option"], environment) == "option")
        #expect(try await identifier(["-F", home.path + "/option", "-X", "client.id=x"], environment) == "x")
        #expect(try await identifier(["-F", "none"], environment) == nil)
        #expect(try await identifier([], ["HOME": home.path + "/none"]) == nil)
        await #expect(throws: Failure.self) { try await identifier([], ["KCAT_CONFIG": home.path + "/none"]) }
    }

    @Test func theProgramUsesKcatsFile() async throws {
        try await withFake(topics: ["t"]) { fake in
            let content = """
                metadata.broker.list=\(fake.bootstrapServers)
                socket.keepalive.enable=true
                topic.auto.offset.reset=smallest
                """
            try await withFile(content) { path in
                let program = try Repository.program("kafkawire")
                let listed = try await run(program, ["-L"], environment: ["KCAT_CONFIG": path])
                #expect(listed.status == 0, "\(listed.err)")
                #expect(listed.out.contains("topic \"t\" with 1 partitions:"))
                #expect(
                    listed.err
                        == "% the setting socket.keepalive.enable is ignored: it has no counterpart in kafkawire\n")
                let verbose = try await run(program, ["-L", "-v", "-q"], environment: ["KCAT_CONFIG": path])
                #expect(verbose.err == "% reading settings from \(path)\n")
                let quiet = try await run(program, ["-L", "-q", "-F", path])
                #expect(quiet.status == 0)
                #expect(quiet.err.isEmpty)
                let topics = try await run(program, ["topics", "list", "-F", path])
                #expect(topics.out == "t\n")
            }
        }
    }
}
