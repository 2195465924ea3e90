import Foundation
import PGWire
import Testing

@testable import IngestEngine

@Suite("Row encoder: damaged messages")
struct EncoderDamageTests {
    static let rounds = (ProcessInfo.processInfo.environment["TFI_LONG_TESTS"] ?? "").isEmpty ? 10_000 : 500_000

    static let messages = [
        #"{"a":-5,"b":"1999-12-31 23:59:59.999999","c":0.25e-3,"d":"x\u00e9\ud83d\ude00\n","e":[[1,2],[3,null]]}"#,
        #"{ "e" : [1, 2] , "f":{"g":[1,{"h":"ä"}]},"b":"2024-02-29T00:00:00+01:00","i":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}"#,
        #"{"d":"now","j":"\\x00ff","k":"10.0.0.1/8","l":1710223200123,"m":"12.03.2024 06:15:00","a":123456789012345678901234567890}"#,
    ]

    static let telling = Array("{}[]\":,0123456789-+.eE\\u tfnTZ\n".utf8) + [0x00, 0x1f, 0x7f, 0x80, 0xc3, 0xff]

    static func columns() throws -> [RowPlan.Column] {
        var columns: [RowPlan.Column] = [
            RowPlan.Column("a", .numeric(ColumnType.Precision(precision: 9, scale: 3))),
            RowPlan.Column("b", .timestamptz(precision: 6)), RowPlan.Column("c", .float8),
            RowPlan.Column("d", .varchar(4)),
            RowPlan.Column("e", .array(element: .int4, elementOID: 23)),
            try RowPlan.Column("h", .text, path: "$.f.g[1].h"),
            try RowPlan.Column("f", .json, path: "$.d"), RowPlan.Column("i", .uuid), RowPlan.Column("j", .bytea),
            RowPlan.Column("k", .inet),
            RowPlan.Column("l", .timestamp(precision: 3)), RowPlan.Column("m", .timestamptz(precision: 6)),
            RowPlan.Column(name: "rest", type: .jsonb, source: .rest),
        ]
        columns[10].format = .unix(.milliseconds)
        columns[10].zone = "Europe/Madrid"
        columns[11].format = .pattern(try TimePattern("dd.MM.yyyy HH:mm:ss"))
        columns[11].zone = "America/New_York"
        return columns
    }

    /// No byte sequence traps, and every message that becomes a row or goes to the server is JSON to an independent
    /// parser. An encoder that expects the form of earlier messages gives the same outcome as one that doesn't.
    @Test func nothingTrapsAndAcceptedMessagesAreJSON() throws {
        var random = SystemRandomNumberGenerator()
        var encoder = try RowEncoder(RowPlan(columns: try Self.columns()))
        var careful = try RowEncoder(RowPlan(columns: try Self.columns()))
        careful.disableFastPaths()
        let metadata = RecordMetadata(partition: 0, offset: 0)
        var taken = 0
        for round in 0..<Self.rounds {
            // Several messages of the same form, with undamaged ones in between.
            let base = Self.messages[round / 64 % Self.messages.count]
            let message = round % 4 < 2 ? Array(base.utf8) : Self.damaged(base, &random)
            var rows = CopyBuffer()
            let outcome = unsafe encoder.encode(
                value: message.span.bytes, key: message.span.bytes, metadata: metadata, into: &rows)
            var carefulRows = CopyBuffer()
            let carefulOutcome = unsafe careful.encode(
                value: message.span.bytes, key: message.span.bytes, metadata: metadata, into: &carefulRows)
            #expect(outcome == carefulOutcome)
            let areSame = unsafe rows.bytes.withUnsafeBytes { left in
                unsafe carefulRows.bytes.withUnsafeBytes { right in unsafe left.elementsEqual(right) }
            }
            #expect(areSame)
            let (count, isOpen) = (rows.rowCount, rows.hasOpenRow)
            #expect(count == (outcome == .row ? 1 : 0) && !isOpen)
            if case .rejected = outcome { continue }
            taken += 1
            if round % 16 == 3 { #expect(Self.isJSON(message), "\(message)") }
        }
        #expect(taken > Self.rounds / 100)
        let hits = encoder.scanner.allHits
        #expect(hits > Self.rounds / 20)
    }

    /// Whether Foundation also accepts the message. It refuses numbers that its own types can't represent.
    private static func isJSON(_ message: [UInt8]) -> Bool {
        do {
            _ = try JSONSerialization.jsonObject(with: Data(message), options: .fragmentsAllowed)
            return true
        } catch {
            return "\(error)".contains("not representable")
        }
    }

    static func damaged(_ message: String, _ random: inout SystemRandomNumberGenerator) -> [UInt8] {
        var bytes = Array(message.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let byte = telling.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<7, using: &random) {
            case 0: bytes[place] = byte
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.insert(byte, at: place)
            case 3: bytes.remove(at: place)
            case 4: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...20, using: &random)))
            case 5: bytes.removeSubrange(place...)
            default:
                let end = min(bytes.count, place + Int.random(in: 1...20, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return bytes
    }
}
