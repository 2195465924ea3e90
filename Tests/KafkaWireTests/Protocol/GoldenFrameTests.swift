import Foundation
import KafkaWire
import Testing

/// Frames that other clients and real brokers sent, from Fixtures/record-frames.sh.
@Suite("Frames recorded between other clients and real brokers")
struct GoldenFrameTests {
    @Test("Every frame decodes, and encodes to the same bytes", arguments: try GoldenFrame.all())
    func sameBytes(_ frame: GoldenFrame) throws {
        let message = try #require(
            SupportedMessage.all.first { $0.name == frame.messageName },
            "the recorder must omit APIs that the library doesn't support")
        try #require(message.versions.contains(frame.version))
        var header = WireReader(ByteSlice(frame.bytes), isFlexible: false)
        if frame.isRequest {
            #expect(header.int16() == frame.apiKey)
            #expect(header.int16() == frame.version)
        }
        _ = header.int32()
        // Not compact, even if tags follow it.
        if frame.isRequest { #expect(header.nullableString() != nil) }
        var body = frame.message[header.position...]
        if frame.hasFlexibleHeader(of: message) {
            var tags = WireReader(ByteSlice(body), isFlexible: true)
            tags.tags()
            body = body.dropFirst(tags.position)
        }
        func check<Message: WireMessage>(_ type: Message.Type) throws {
            let decoded = try message.decoded(type, body, version: frame.version)
            #expect(try message.encoded(decoded, version: frame.version) == Array(body), "\(decoded)")
        }
        try check(message.type)
    }

    @Test("The frames cover each API, from each kind of client that supports it")
    func coverage() throws {
        let recorded = Set(try GoldenFrame.all().map(\.messageName))
        #expect(Set(SupportedMessage.all.map(\.name)).subtracting(recorded).isEmpty)
    }
}

/// One line of a file in Fixtures/frames.
struct GoldenFrame: Sendable, CustomTestStringConvertible {
    let source: String
    let apiKey: Int16
    let version: Int16
    let isRequest: Bool
    /// The frame without its length.
    let bytes: [UInt8]

    var messageName: String {
        (APIKey(rawValue: apiKey)?.name ?? "API \(apiKey) ") + (isRequest ? "Request" : "Response")
    }

    var testDescription: String { "\(source): \(messageName) \(version), \(bytes.count) bytes" }

    func hasFlexibleHeader(of message: SupportedMessage) -> Bool {
        guard version >= message.firstFlexibleVersion else { return false }
        return isRequest || message.apiKey != .apiVersions
    }

    /// The number of extra bytes after some requests of librdkafka 2.16, which brokers ignore.
    private static let leftBehind = ["AlterUserScramCredentialsRequest 73": 1, "MetadataRequest 26": 3]

    /// The frame without such extra bytes.
    var message: ArraySlice<UInt8> {
        let extra = source.hasPrefix("librdkafka") ? Self.leftBehind["\(messageName) \(bytes.count)"] ?? 0 : 0
        return bytes.dropLast(extra)
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Fixtures/frames").standardized

    static func all() throws -> [GoldenFrame] {
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "txt" }
        return try files.sorted { $0.path < $1.path }.flatMap { file in
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
                let fields = line.split(separator: " ")
                try #require(fields.count == 4, "\(file.lastPathComponent): \(line)")
                return GoldenFrame(
                    source: file.deletingPathExtension().lastPathComponent,
                    apiKey: try #require(Int16(fields[0])), version: try #require(Int16(fields[1])),
                    isRequest: fields[2] == "request",
                    bytes: Array(try #require(Data(base64Encoded: String(fields[3])))))
            }
        }
    }
}
