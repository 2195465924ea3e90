import Foundation
import PGWire
import Testing

@testable import IngestEngine

/// The encoder's fast path, compared with the same encoder without it.
@Suite("Row forms")
struct RowFormTests {
    static let rounds = (ProcessInfo.processInfo.environment["TFI_LONG_TESTS"] ?? "").isEmpty ? 2_000 : 2_000_000

    /// Encodes each message with two encoders and reports differences.
    struct Pair: ~Copyable {
        var fast: RowEncoder
        var careful: RowEncoder
        var rows: CopyBuffer
        var carefulRows: CopyBuffer

        init(_ plan: RowPlan) throws {
            // Stored once nothing can throw any more.
            let first = try RowEncoder(plan)
            var second = try RowEncoder(plan)
            second.disableFastPaths()
            fast = first
            careful = second
            rows = CopyBuffer()
            carefulRows = CopyBuffer()
        }

        /// - Returns: The outcome; nil if the two encoders differ.
        mutating func encode(_ message: [UInt8]) -> EncodedRow? {
            rows.removeAll()
            carefulRows.removeAll()
            let metadata = RecordMetadata(partition: 3, offset: -42, timestamp: 1)
            let outcome = unsafe fast.encode(value: message.span.bytes, key: nil, metadata: metadata, into: &rows)
            let other = unsafe careful.encode(
                value: message.span.bytes, key: nil, metadata: metadata, into: &carefulRows)
            let areSame = unsafe rows.bytes.withUnsafeBytes { left in
                unsafe carefulRows.bytes.withUnsafeBytes { right in unsafe left.elementsEqual(right) }
            }
            return areSame && outcome == other && rows.rowCount == carefulRows.rowCount && !rows.hasOpenRow
                ? outcome : nil
        }
    }

    static let columns: [RowPlan.Column] = [
        RowPlan.Column(name: "offset", type: .int8, source: .record(.offset)),
        RowPlan.Column("i4", .int4), RowPlan.Column("t", .text), RowPlan.Column("ts", .timestamp(precision: 6)),
        RowPlan.Column("missing", .text), RowPlan.Column("i8", .int8), RowPlan.Column("i2", .int2),
        RowPlan.Column(name: "partition", type: .int4, source: .record(.partition)),
        RowPlan.Column("tz", .timestamptz(precision: 3)), RowPlan.Column("f", .float8), RowPlan.Column("b", .bool),
        RowPlan.Column("u", .text), RowPlan.Column("d", .date),
        RowPlan.Column("n", .numeric(ColumnType.Precision(precision: 6, scale: 2))), RowPlan.Column("m", .numeric(nil)),
        RowPlan.Column("v", .varchar(5)), RowPlan.Column("id", .uuid), RowPlan.Column("r", .float4),
        RowPlan.Column("list", .array(element: .text, elementOID: 25)), RowPlan.Column("j", .jsonb),
        RowPlan.Column("y", .bytea),
        RowPlan.Column("clock", .time(precision: 6)),
        RowPlan.Column(
            name: "required", type: .int4, source: .path(JSONPath(steps: [.field("required")])), isNotNull: true),
    ]

    static let fields: [(name: String, values: [String])] = [
        (
            "i4",
            [
                "0", "-7", "71204310", "2147483647", "-2147483648", "2147483648", "-0", "01", "1e2", "1.0", "\"5\"",
                "null", "-",
            ]
        ),
        (
            "t",
            [
                "\"\"", "\"a\"", "\"seven77\"", "\"eight888\"", "\"nine99999\"", "\"größer\"", "\"a\\n\"",
                "\"\\u0000\"", "\"seventeen bytes 7\"", "null", "5", "[1]",
            ]
        ),
        (
            "ts",
            [
                "\"2024-03-12 08:00:06.1\"", "\"2024-03-12T08:00:06\"", "\"2024-03-12 08:00:06.123456\"",
                "\"2024-03-12 08:00:06.1234567\"", "\"2024-02-30 08:00:06\"", "\"2024-03-12 24:00:00\"",
                "\"2024-03-12 23:59:60\"", "\"0000-01-01 00:00:00\"", "\"2024-03-12 08:00:06.\"",
                "\"2024-03-12 08:00:06Z\"",
                "\"2024-03-12 08:00:06.5+01:00\"", "\"2024-03-12\"", "\"2024-03-12 08:00\"",
                "\"2024-03-12 08:00:06 BC\"",
                "\"now\"", "null", "\"9999-12-31 23:59:59.999999\"", "\"0001-01-01 00:00:00.000001\"",
            ]
        ),
        ("extra", ["null", "{\"a\":[1,\"ü\"]}", "[]", "\"x\"", "1e5", "true", "{\"a\":}"]),
        (
            "i8",
            [
                "1", "99999999", "100000000", "999999999999999999", "9223372036854775807", "-9223372036854775808",
                "null", "12345678901234567890",
            ]
        ),
        ("i2", ["1", "-32768", "32767", "32768", "null"]),
        (
            "tz",
            [
                "\"2024-03-12T08:00:06.000001Z\"", "\"2024-03-12T08:00:06.00001Z\"", "\"2024-03-12T08:00:06Z\"",
                "\"2024-03-12T08:00:06.5\"", "\"2024-03-12T08:00:06ZZ\"", "\"2024-03-12T08:00:06+00:00\"",
                "\"2024-03-12T08:00:06.5+00:00\"", "\"2024-03-12T08:00:06+00:01\"", "\"2024-03-12T08:00:06-00:00\"",
                "\"2024-03-12T08:00:06+00:00:00\"", "\"2024-03-12T08:00:06+00:0\"", "null",
            ]
        ),
        ("f", ["0", "-0", "1.5", "-2.5e3", "1e400", "0.1", "123456789012345678901", "01.5", "1.", "null", "\"1\""]),
        ("b", ["true", "false", "null", "1", "truE", "\"t\""]),
        ("u", ["\"x\"", "\"\u{1F600}\"", "null", "\"" + String(repeating: "long ", count: 50) + "\""]),
        ("d", ["\"2024-03-12\"", "\"2024-02-29\"", "\"2023-02-29\"", "\"2024-3-12\"", "\"2024-03-12 \"", "null"]),
        (
            "n",
            [
                "0", "12.34", "-1234.5", "9999.99", "9999.995", "10000", "1e3", "0.00001", "\"7\"", "\"NaN\"", "null",
                "x",
            ]
        ),
        (
            "m",
            [
                "0.5", "13.0000000000000000", "-0.0", "1234567890123456789", "12345678901234567890.1", "1e-20", "1e999",
                "1e1000", "null", "\"1_0\"", "[]",
            ]
        ),
        ("v", ["\"\"", "\"12345\"", "\"123456\"", "\"12345 \"", "\"größe\"", "\"größer\"", "\"\\t\"", "5", "null"]),
        (
            "id",
            [
                "\"01234567-89ab-cdef-ABCD-EF0123456789\"", "\"00000000-0000-0000-0000-000000000000\"",
                "\"01234567-89ab-cdef-ABCD-EF012345678g\"", "\"0123456789abcdefABCDEF0123456789\"",
                "\"01234567-89ab-cdef-ABCD-EF01234567890\"", "\"{01234567-89ab-cdef-ABCD-EF0123456789}\"", "null", "1",
            ]
        ),
        ("r", ["0.1", "-3", "0.0", "16777217", "1e39", "1e-46", "null", "\"2\"", "3.4028236e38"]),
        (
            "list",
            [
                "[]", "[\"a\",null]", "[[\"a\"],[\"b\"]]", "[[\"a\"],[]]", "\"{a}\"", "null", "[\"ä\"]",
                "[" + [String](repeating: "1", count: 2000).joined(separator: ",") + "]",
            ]
        ),
        ("j", ["{}", "[1, 2.50]", "\"\\u00e4\"", "1e400", "null", "{\"a\":1e99999}", "\"x\""]),
        ("y", ["\"\\\\x00ff\"", "\"abc\"", "\"\\\\x0\"", "\"\\\\x0123456789abcdef0\"", "null"]),
        ("clock", ["\"12:30:00\"", "\"12:30:00.5\"", "\"25:00\"", "\"12:30 PM\"", "null"]),
        ("required", ["1", "-1", "7", "null"]),
    ]

    /// A message with mostly common values: the first one or two of each field.
    static func message(
        _ random: inout some RandomNumberGenerator, rare: Int, omitting omitted: String? = nil, spaced: Bool = false
    ) -> String {
        let parts = fields.filter { $0.name != omitted }.map { field in
            let isRare = Int.random(in: 0..<rare, using: &random) == 0
            let value =
                isRare
                ? field.values.randomElement(using: &random) : field.values.prefix(2).randomElement(using: &random)
            return spaced ? "\"\(field.name)\": \(value ?? "")" : "\"\(field.name)\":\(value ?? "")"
        }
        return "{" + parts.joined(separator: spaced ? ", " : ",") + "}"
    }

    @Test func everyValueIsEncodedAsWithoutTheFastPath() throws {
        var random = SystemRandomNumberGenerator()
        var pair = try Pair(RowPlan(columns: Self.columns))
        for (index, field) in Self.fields.enumerated() {
            for value in field.values {
                // Messages of the usual form, so that it is learnt.
                for _ in 0..<10 { #expect(pair.encode(Array(Self.message(&random, rare: .max).utf8)) != nil) }
                let parts = Self.fields.enumerated().map { place, other in
                    "\"\(other.name)\":\(place == index ? value : other.values[0])"
                }
                let message = "{" + parts.joined(separator: ",") + "}"
                #expect(pair.encode(Array(message.utf8)) != nil, "\(message)")
            }
        }
        let count = pair.fast.fastCount
        #expect(count > 100)
    }

    @Test func messagesWithOneDeviationAreEncodedAsWithoutTheFastPath() throws {
        var random = SystemRandomNumberGenerator()
        for spaced in [false, true] {
            var pair = try Pair(RowPlan(columns: Self.columns))
            var rows = 0
            for round in 0..<Self.rounds / 2 {
                // Learns the usual form and never drops it.
                if round % 8 == 0 {
                    for _ in 0..<(round == 0 ? 20 : 1) {
                        let usual = Self.message(&random, rare: .max, spaced: spaced)
                        if pair.encode(Array(usual.utf8)) == .row { rows += 1 }
                    }
                }
                var message = Array(
                    Self.message(
                        &random, rare: 40, omitting: round % 64 > 60 ? "t" : nil, spaced: spaced
                    ).utf8)
                if round % 3 > 0 { Self.deviate(&message, &random) }
                guard let outcome = pair.encode(message) else {
                    Issue.record("\(String(decoding: message, as: UTF8.self))")
                    return
                }
                if outcome == .row { rows += 1 }
            }
            let count = pair.fast.fastCount
            #expect(count > Self.rounds / 40)
            #expect(rows > count)
        }
    }

    /// Changes, removes or adds a byte, or truncates the message.
    static func deviate(_ message: inout [UInt8], _ random: inout some RandomNumberGenerator) {
        let place = Int.random(in: 0..<message.count, using: &random)
        let byte = EncoderDamageTests.telling.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<6, using: &random) {
        case 0: message[place] = byte
        case 1: message[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: message.insert(byte, at: place)
        case 3: message.remove(at: place)
        case 4: message.append(byte)
        default: message.removeSubrange(place...)
        }
    }

    @Test func valuesOutOfColumnOrderAreAccepted() throws {
        var pair = try Pair(
            RowPlan(columns: [
                RowPlan.Column("a", .int4), RowPlan.Column("b", .timestamp(precision: 6)), RowPlan.Column("c", .int8),
                RowPlan.Column("gone", .int8),
            ]))
        for round in 10..<40 {
            let message = "{\"c\":\(round),\"x\":[\(round)],\"b\":\"2024-03-12 08:00:\(round)\",\"a\":-\(round)}"
            #expect(pair.encode(Array(message.utf8)) == .row)
        }
        #expect(pair.encode(Array("{\"c\":null,\"x\":[],\"b\":\"2024-03-12 08:00:00\",\"a\":1}".utf8)) == .row)
        let count = pair.fast.fastCount
        #expect(count == 20)
    }

    @Test func textsOutOfColumnOrderAreLeftToTheGeneralPath() throws {
        var pair = try Pair(RowPlan(columns: [RowPlan.Column("a", .int4), RowPlan.Column("b", .text)]))
        for round in 0..<30 { #expect(pair.encode(Array("{\"b\":\"x\(round)\",\"a\":1}".utf8)) == .row) }
        let count = pair.fast.fastCount
        #expect(count == 0)
    }

    /// A value that only the general path encodes doesn't keep the rest of the message off the fast path.
    @Test func valuesInRareFormsAreAccepted() throws {
        var pair = try Pair(
            RowPlan(columns: [RowPlan.Column("a", .text), RowPlan.Column("b", .inet), RowPlan.Column("c", .float8)]))
        let values = [
            ("\"x\"", "\"10.0.0.1\"", "0.1"), ("\"\\u00fc\"", "\"10.0.0.1/8\"", "123456789012345678901"),
            ("null", "null", "\"1\""),
        ]
        for round in 0..<30 {
            let (a, b, c) = values[round < 15 ? 0 : round % 3]
            #expect(pair.encode(Array("{\"a\":\(a),\"b\":\(b),\"c\":\(c)}".utf8)) == .row)
        }
        let count = pair.fast.fastCount
        #expect(count == 20)
    }

    /// A value's binary form may exceed the room reserved for a row; the general path reserves more.
    @Test func valuesThatAreMuchLongerThanTheirTextAreEncoded() throws {
        var pair = try Pair(
            RowPlan(columns: [
                RowPlan.Column("a", .array(element: .numeric(nil), elementOID: 1700)), RowPlan.Column("b", .text),
            ]))
        for count in [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 100, 1000, 10_000, 1] {
            let numbers = [String](repeating: "1", count: count).joined(separator: ",")
            #expect(pair.encode(Array("{\"a\":[\(numbers)],\"b\":\"x\"}".utf8)) == .row)
        }
        let count = pair.fast.fastCount
        #expect(count > 0)
    }

    /// A long message is left to the general path, since the fast path would reserve room for all of it.
    @Test func longMessagesReserveNoRoom() throws {
        var pair = try Pair(RowPlan(columns: [RowPlan.Column("a", .text)]))
        for _ in 0..<20 { _ = pair.encode(Array("{\"a\":\"x\",\"b\":\"\"}".utf8)) }
        let before = pair.fast.fastCount
        let long = String(repeating: "y", count: RowForm.maximumMessage)
        #expect(pair.encode(Array("{\"a\":\"x\",\"b\":\"\(long)\"}".utf8)) == .row)
        let count = pair.fast.fastCount
        #expect(count == before && before > 0)
    }

    @Test func invalidUTF8IsRejectedWhereverItIs() throws {
        let columns = [RowPlan.Column("a", .text), RowPlan.Column("b", .int4)]
        var pair = try Pair(RowPlan(columns: columns))
        for _ in 0..<20 { _ = pair.encode(Array("{\"a\":\"x\",\"u\":\"x\",\"b\":1}".utf8)) }
        for bad in [[0xc3], [0xff], [0xe2, 0x82], [0xed, 0xa0, 0x80]] as [[UInt8]] {
            let inText = Array("{\"a\":\"".utf8) + bad + Array("\",\"u\":\"x\",\"b\":1}".utf8)
            let inUnused = Array("{\"a\":\"x\",\"u\":\"".utf8) + bad + Array("\",\"b\":1}".utf8)
            for message in [inText, inUnused] {
                guard case .rejected(let reason)? = pair.encode(message) else {
                    Issue.record("\(message)")
                    continue
                }
                #expect(reason.contains("not UTF-8"))
            }
        }
        #expect(pair.encode(Array("{\"a\":\"größer\",\"u\":\"ü\",\"b\":1}".utf8)) == .row)
    }

    @Test func aFormThatNoLongerMatchesIsDroppedForAWhile() throws {
        var pair = try Pair(RowPlan(columns: [RowPlan.Column("a", .text), RowPlan.Column("b", .int4)]))
        func encode(_ text: String, _ count: Int, _ pair: inout Pair) {
            for _ in 0..<count { #expect(pair.encode(Array("{\"a\":\"\(text)\",\"b\":1}".utf8)) == .row) }
        }
        encode("x", 20, &pair)
        let before = pair.fast.fastCount
        #expect(before > 0)
        // No two of them have the same form.
        for count in 1...RowForm.maximumMisses {
            let spaces = String(repeating: " ", count: count)
            #expect(pair.encode(Array("{\"a\":\(spaces)\"x\",\"b\":1}".utf8)) == .row)
        }
        encode("x", RowForm.pause, &pair)
        let during = pair.fast.fastCount
        #expect(during == before)
        encode("x", 20, &pair)
        let after = pair.fast.fastCount
        #expect(after > during)
    }

    /// Literals of every length with its own comparison, with each byte changed in turn.
    @Test func aLiteralMatchesOnlyIfAllItsBytesMatch() throws {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
        defer { unsafe memory.deallocate() }
        for count in 0...48 {
            let bytes = (0..<count).map { UInt8($0 + 0x30) }
            var used = 0
            let text = unsafe FormText(bytes, memory, &used)
            func isFound(_ message: [UInt8], at offset: Int) -> Bool {
                unsafe message.withUnsafeBytes { buffer in
                    guard let base = buffer.baseAddress else { return false }
                    return text.isIn(unsafe ByteView(base, buffer.count), at: offset)
                }
            }
            let message = Array("{}<>[]()".utf8) + bytes
            #expect(isFound(message, at: 8) && isFound(message + [1, 2, 3, 4, 5, 6, 7, 8, 9], at: 8))
            #expect(!isFound(message, at: 9))
            for place in 0..<count {
                var other = message
                other[8 + place] ^= 4
                #expect(!isFound(other, at: 8), "\(count), \(place)")
            }
        }
    }
}
