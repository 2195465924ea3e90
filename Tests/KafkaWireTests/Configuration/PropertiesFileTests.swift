import Foundation
import Testing

@testable import KafkaWire

@Suite("Properties files")
struct PropertiesFileTests {
    private func entries(_ text: String) throws -> [String] {
        try PropertiesFile(text.utf8, path: "f").entries.map { "\($0.line) [\($0.name)] [\($0.value)]" }
    }

    @Test(
        "a line is parsed as by java.util.Properties",
        arguments: [
            ("a=b", "1 [a] [b]"), ("a:b", "1 [a] [b]"), ("a b", "1 [a] [b]"), ("a\tb", "1 [a] [b]"),
            ("  a = b ", "1 [a] [b ]"), ("a : = b", "1 [a] [= b]"), ("a==b", "1 [a] [=b]"), ("a", "1 [a] []"),
            ("a=", "1 [a] []"), ("=b", "1 [] [b]"), ("a b=c", "1 [a] [b=c]"), ("a=b#c", "1 [a] [b#c]"),
            (#"a\ b\=c\:d=e"#, "1 [a b=c:d] [e]"), (#"a=\tb\nc\\d\qe\""#, "1 [a] [\tb\nc\\dqe\"]"),
            (#"a=\u00e9\uD83D\uDE00"#, "1 [a] [é😀]"), ("a=\\#\\!", "1 [a] [#!]"), ("a=\u{c}b", "1 [a] [b]"),
            ("a=b\\", "1 [a] [b]"), (#"a\\=b"#, #"1 [a\] [b]"#), ("\u{feff}a=b", "1 [a] [b]"),
        ])
    func line(text: String, expected: String) throws {
        #expect(try entries(text) == [expected])
    }

    @Test(
        "comments and blank lines are ignored except in line numbers",
        arguments: [
            "#x=y\n!z\n  # w\n\n \t\na=b", "#x\r!y\r\r\r\ra=b", "#x\r\n!y\r\n#\r\n\r\n\r\na=b\r\n", "#\\\n\n\n\n#\na=b",
        ])
    func comments(text: String) throws {
        #expect(try entries(text) == ["6 [a] [b]"])
    }

    @Test("A backslash continues a line, without the leading whitespace of the next one")
    func continuation() throws {
        #expect(try entries("a=b,\\\n   c,\\\r\n\td\ne=f") == ["1 [a] [b,c,d]", "4 [e] [f]"])
        // Two backslashes are a literal one; the third continues the line.
        #expect(try entries("a=b\\\\\nc=d\\\\\\\ne") == ["1 [a] [b\\]", "2 [c] [d\\e]"])
        // A continuation line is never a comment, and a blank line ends the entry.
        #expect(try entries("a=b\\\n#c\ne=f\\\n\ng=h") == ["1 [a] [b#c]", "3 [e] [f]", "5 [g] [h]"])
        #expect(try entries("a\\\n b=c") == ["1 [ab] [c]"])
        #expect(try entries("\\\n\n") == [])
    }

    @Test("The last value of a repeated name is used")
    func last() throws {
        #expect(try PropertiesFile("a=1\nb=2\na=3".utf8, path: "f").properties == ["a": "3", "b": "2"])
    }

    @Test("A file that is not UTF-8 is read as ISO-8859-1")
    func encodings() throws {
        #expect(try PropertiesFile("a=é".utf8, path: "f").properties == ["a": "é"])
        #expect(try PropertiesFile([0x61, 0x3D, 0xE9, 0xFF], path: "f").properties == ["a": "éÿ"])
        #expect(try PropertiesFile([], path: "f").entries == [])
    }

    @Test(
        "The error for an invalid escape names its line",
        arguments: [#"\u12"#, #"\u12g4"#, #"\u+123"#, #"\u"#, #"\u-0e9"#])
    func escapes(text: String) {
        let error = #expect(throws: KafkaError.self) { try entries("x=y\n\na=\\\n  \(text)") }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message == "f, line 3: \\u must be followed by four hexadecimal digits")
    }

    @Test("Any bytes are either read or refused, without a trap")
    func garbage() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("ab =:#!\\\n\r\tu0dD8é".utf8) + [0xFF, 0x0C]
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).compactMap { _ in
                alphabet.randomElement(using: &random)
            }
            let lines = bytes.split(omittingEmptySubsequences: false) { $0 == 10 || $0 == 13 }.count
            for entry in (try? PropertiesFile(bytes, path: "f"))?.entries ?? [] {
                #expect((1...lines).contains(entry.line))
            }
        }
    }
}

@Suite("Settings from a file")
struct FileConfigurationTests {
    private func file(_ text: String) throws -> PropertiesFile {
        try PropertiesFile(text.utf8, path: "client.properties")
    }

    @Test("A file for a Java program is read")
    func java() throws {
        let configuration = try ClientConfiguration(
            file(
                """
                bootstrap.servers=127.0.0.1:9092, [::1]:9093
                key.serializer=org.apache.kafka.common.serialization.StringSerializer
                value.serializer=org.apache.kafka.common.serialization.StringSerializer
                key.deserializer=org.apache.kafka.common.serialization.StringDeserializer
                value.deserializer=org.apache.kafka.common.serialization.StringDeserializer
                acks = 1\u{20}
                enable.idempotence=FALSE
                linger.ms = 20\t
                """))
        #expect(configuration.bootstrapServers.map(\.description) == ["127.0.0.1:9092", "[::1]:9093"])
        #expect(configuration.producer.acks == .leader)
        #expect(configuration.producer.linger == .milliseconds(20))
        #expect(configuration.producer.idempotence == false)
    }

    @Test("Overrides replace the file's settings, even invalid ones")
    func overridden() throws {
        let file = try file("bootstrap.servers=b:1\nclient.id=file\nlinger.ms=wrong")
        let given = ["client.id": "given", "linger.ms": "7", "acks": "0"]
        let configuration = try ClientConfiguration(file, overriddenBy: given)
        #expect(configuration.clientID == "given")
        #expect(configuration.producer.linger == .milliseconds(7))
        #expect(configuration.producer.acks == .none)
        #expect(configuration.bootstrapServers.map(\.port) == [1])
    }

    @Test(
        "errors name file and line",
        arguments: [
            ("\n\nlinger=5", "client.properties, line 3: there is no property linger; did you mean linger.ms?"),
            (
                "acks=1\nacks=2",
                "client.properties, line 2: the value of acks is invalid; one of all, -1, 0, 1 is expected"
            ),
            (
                "bootstrap.servers=a:1,b",
                "client.properties, line 1: entry 2 of bootstrap.servers is invalid; host:port is expected"
            ),
            (
                "bootstrap.servers=",
                "client.properties, line 1: no bootstrap server is given; host:port is expected"
            ),
            ("acks=1", "bootstrap.servers is missing; set it to host:port"),
        ])
    func errors(text: String, expected: String) throws {
        let file = try file(text)
        let error = #expect(throws: KafkaError.self) { try ClientConfiguration(file) }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message == expected)
    }

    @Test("Without a file, bootstrap.servers is an ordinary property")
    func properties() throws {
        let both = try ClientConfiguration(bootstrapServers: "a:1", properties: ["bootstrap.servers": "b:2"])
        #expect(both.bootstrapServers.map(\.port) == [2])
        #expect(try ClientConfiguration(properties: ["bootstrap.servers": "b:3"]).bootstrapServers.map(\.port) == [3])
        #expect(throws: KafkaError.self) { try ClientConfiguration(properties: [:]) }
    }

    @Test(
        "values are never part of an error",
        arguments: [
            "ssl.key.password", "ssl.keystore.password", "sasl.jaas.config", "ssl.keystore.key", "sasl.password",
            "sasl.oauthbearer.token", "sasl.oauthbearer.client.credentials.client.secret", "linger.ms",
        ])
    func secrets(name: String) throws {
        var list = PropertyList(try file("\(name)=hush"), overriddenBy: [:])
        var number = 0
        let error = #expect(throws: KafkaError.self) { try list.set(&number, name, in: 0...1) }
        #expect(error?.message.contains("client.properties, line 1") == true)
        #expect(error?.description.contains("hush") == false)
    }

    @Test("The error for a missing file has the system's reason")
    func missing() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID())").path
        let error = await #expect(throws: KafkaError.self) { try await PropertiesFile.read(path) }
        #expect(error?.code == .resourceNotFound)
        #expect(error?.message == "the settings file \(path) can't be read: No such file or directory")
        try Data("client.id=x\n".utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try await PropertiesFile.read(path).properties == ["client.id": "x"])
        let folder = FileManager.default.temporaryDirectory.path
        let other = await #expect(throws: KafkaError.self) { try await PropertiesFile.read(folder) }
        #expect(other?.code == .resourceNotFound)
    }
}
