import Foundation
import IngestEngine
import PGWire

/// The input of the encoder's fuzzer: the columns of a table, then messages.
///
/// The first byte is the number of columns and the handling of unknown fields. Each column has four bytes: its type,
/// source, options and format. The columns are named `a`, `b`, … in order. Messages follow, separated by the byte
/// 0x1e. The first one is repeated after each of the others, so that its form is learnt.
struct EncoderInput {
    private let plan: RowPlan
    private let messages: [[UInt8]]

    init(_ input: [UInt8]) throws {
        var rest = input[...]
        let first = rest.popFirst() ?? 0
        var columns: [RowPlan.Column] = []
        for index in 0...(first & 0x0f) {
            var bytes: [UInt8] = []
            for _ in 0..<4 { bytes.append(rest.popFirst() ?? 0) }
            columns.append(try Self.column(index, bytes))
        }
        plan = RowPlan(columns: columns, unknownFields: first & 0x80 == 0 ? .ignore : .deadLetter)
        messages =
            rest.split(separator: IngestFuzzer.separator, maxSplits: 7, omittingEmptySubsequences: false).map {
                Array($0)
            }
    }

    // MARK: Columns

    private static let labels = ["idle", "größer", "1"]

    /// The column types, selected by a byte.
    static let types: [ColumnType] = [
        .bool, .int2, .int4, .int8, .float4, .float8, .numeric(nil),
        .numeric(ColumnType.Precision(precision: 9, scale: 3)), .numeric(ColumnType.Precision(precision: 3, scale: -2)),
        .numeric(ColumnType.Precision(precision: 2, scale: 5)), .text, .varchar(nil), .varchar(4), .char(3), .bytea,
        .date, .time(precision: 6), .timestamp(precision: 6), .timestamp(precision: 3), .timestamptz(precision: 6),
        .interval, .uuid, .json, .jsonb, .inet, .enumeration(labels), .domain(base: .int4, isChecked: true),
        .domain(base: .varchar(4), isChecked: false), .other, .array(element: .int4, elementOID: 23),
        .array(element: .text, elementOID: 25), .array(element: .float8, elementOID: 701),
        .array(element: .numeric(ColumnType.Precision(precision: 6, scale: 2)), elementOID: 1700),
        .array(element: .timestamptz(precision: 6), elementOID: 1184), .array(element: .jsonb, elementOID: 3802),
        .array(element: .varchar(3), elementOID: 1043), .array(element: .bytea, elementOID: 17),
        .array(element: .enumeration(labels), elementOID: 9999),
        .domain(base: .array(element: .int8, elementOID: 20), isChecked: true),
    ]

    private static let defaults: [String?] = [nil, "0", "", "{}", "2024-01-01", "NaN", "null", "idle"]

    private static let formats: [TimeFormat?] = {
        var formats: [TimeFormat?] = [nil, .iso8601]
        formats += TimeFormat.UnixUnit.allCases.map { .unix($0) }
        for text in ["dd.MM.yyyy HH:mm:ss", "yyyyMMdd'T'HHmmss.SSSSSSSSSX", "HH:mm", "d/M/yyyy"] {
            formats.append((try? TimePattern(text)).map { .pattern($0) })
        }
        return formats
    }()

    private static let zones: [String?] = [nil, "Europe/Madrid", "UTC", "Asia/Kathmandu"]

    private static func column(_ index: UInt8, _ bytes: [UInt8]) throws -> RowPlan.Column {
        let name = String(UnicodeScalar(UInt8(ascii: "a") &+ index))
        let type = types[Int(bytes[0]) % types.count]
        var column = RowPlan.Column(name: name, type: type, source: try source(bytes[1], name))
        column.isNotNull = bytes[2] & 1 != 0
        column.defaultText = defaults[Int(bytes[2] >> 1) % defaults.count]
        column.bytes = [nil, .base64, .hex, nil][Int(bytes[2] >> 4) % 4]
        column.zone = zones[Int(bytes[2] >> 6)]
        column.format = formats[Int(bytes[3]) % formats.count]
        return column
    }

    /// Most columns read the field of their name.
    private static func source(_ byte: UInt8, _ name: String) throws -> Route.Source {
        switch byte {
        case 0xf0: .rest
        case 0xf1: .header("h")
        case 0xf2: .message(try JSONPath("$.x"))
        case 0xf3: .envelope(try JSONPath("$.y"))
        case 0xf4: .path(try JSONPath("$"))
        case 0xf5: .path(try JSONPath("$.a"))
        case 0xf6: .path(try JSONPath("$.m.x[1].y"))
        case 0xf7: .path(try JSONPath("$.m"))
        case 0xf8: .path(try JSONPath("$.m.\(name)"))
        case 0xf9: .path(try JSONPath("$.größe-of-a-long-name"))
        case 0xfa...0xff: .record(Route.RecordField.allCases[Int(byte) - 0xfa])
        default: .path(JSONPath(steps: [.field(name)]))
        }
    }

    // MARK: Encoding

    /// - Returns: Whether a message became a row.
    func run() throws -> Bool {
        // The column may refuse its default.
        guard var encoder = try? RowEncoder(plan), let first = messages.first else { return false }
        let usual = try expected(first)
        for _ in 0..<14 { try check(first, usual, &encoder) }
        var hasRow = usual.outcome == .row
        for message in messages.dropFirst() {
            let expected = try expected(message)
            if expected.outcome == .row { hasRow = true }
            try check(message, expected, &encoder)
            try check(first, usual, &encoder)
        }
        return hasRow
    }

    private struct Expected {
        let outcome: EncodedRow
        let row: [UInt8]
    }

    /// The outcome of a new encoder without fast paths.
    private func expected(_ message: [UInt8]) throws -> Expected {
        var encoder = try RowEncoder(plan)
        encoder.disableFastPaths()
        var rows = CopyBuffer()
        let outcome = Self.encode(message, &encoder, &rows)
        let expected = Expected(outcome: outcome, row: unsafe rows.bytes.withUnsafeBytes { unsafe Array($0) })
        guard rows.rowCount == (outcome == .row ? 1 : 0), !rows.hasOpenRow else {
            throw finding("the buffer has \(rows.rowCount) rows after \(outcome)", message)
        }
        try check(expected, message)
        return expected
    }

    private func check(_ message: [UInt8], _ expected: Expected, _ encoder: inout RowEncoder) throws {
        var rows = CopyBuffer()
        let outcome = Self.encode(message, &encoder, &rows)
        guard outcome == expected.outcome else {
            throw finding("after other messages: \(outcome); alone: \(expected.outcome)", message)
        }
        let row = unsafe rows.bytes.withUnsafeBytes { unsafe Array($0) }
        guard row == expected.row, rows.rowCount == (outcome == .row ? 1 : 0), !rows.hasOpenRow else {
            throw finding("after other messages: \(row); alone: \(expected.row)", message)
        }
    }

    private static func encode(_ message: [UInt8], _ encoder: inout RowEncoder, _ rows: inout CopyBuffer) -> EncodedRow
    {
        encoder.setTopic("t")
        for index in encoder.headerNames.indices { unsafe encoder.setHeader(index, message.span.bytes) }
        return unsafe encoder.encode(
            value: message.span.bytes, key: message.span.bytes,
            metadata: RecordMetadata(partition: 3, offset: 42, timestamp: 1_700_000_000_123), into: &rows)
    }

    /// Checks the properties that any outcome must have.
    private func check(_ expected: Expected, _ message: [UInt8]) throws {
        switch expected.outcome {
        case .row:
            if let fault = RowChecker(plan).fault(in: expected.row) { throw finding(fault, message) }
            let scansMessages = plan.columns.contains { if case .path = $0.source { true } else { false } }
            if scansMessages, !Self.isJSON(message) { throw finding("a row from a message that is not JSON", message) }
        case .rejected(let reason):
            guard !reason.isEmpty, reason.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
                throw finding("the reason can't be shown: \(reason)", message)
            }
        case .server(let json):
            var fields = MessageFields([JSONPath(steps: [.field("a")])])
            if let reason = unsafe fields.read(json.span.bytes) {
                throw finding(
                    "the server's row is no object: \(reason): \(String(decoding: json, as: UTF8.self))", message)
            }
        }
    }

    /// Whether Foundation also accepts the message. It refuses numbers that its own types can't represent, and deep
    /// nesting.
    private static func isJSON(_ message: [UInt8]) -> Bool {
        do {
            _ = try JSONSerialization.jsonObject(with: Data(message), options: .fragmentsAllowed)
            return true
        } catch {
            return "\(error)".contains("not representable") || "\(error)".contains("depth") || message.count > 1000
        }
    }

    private func finding(_ what: String, _ message: [UInt8]) -> IngestFuzzer.Finding {
        IngestFuzzer.Finding(
            description: "\(what)\nmessage: \(String(decoding: message, as: UTF8.self).debugDescription)\n"
                + plan.columns.map { "\($0)" }.joined(separator: "\n"))
    }
}
