import PGWire

@testable import IngestEngine

/// The encoder's outcome for one message, with a plan of a few columns.
struct EncodedMessage: Equatable {
    let outcome: EncodedRow
    /// The columns' values in binary format; nil for null.
    let values: [[UInt8]?]

    init(
        _ columns: [RowPlan.Column], _ message: [UInt8], key: [UInt8]? = nil,
        metadata: RecordMetadata = RecordMetadata(partition: 3, offset: 42, timestamp: 946_684_800_001),
        unknownFields: Mapping.UnknownFields = .ignore, prepare: (inout RowEncoder) -> Void = { _ in }
    ) throws {
        var encoder = try RowEncoder(RowPlan(columns: columns, unknownFields: unknownFields))
        prepare(&encoder)
        var rows = CopyBuffer()
        if let key {
            outcome = unsafe encoder.encode(
                value: message.span.bytes, key: key.span.bytes, metadata: metadata, into: &rows)
        } else {
            outcome = unsafe encoder.encode(value: message.span.bytes, key: nil, metadata: metadata, into: &rows)
        }
        let bytes = unsafe rows.bytes.withUnsafeBytes { unsafe Array($0) }
        values = outcome == .row ? Self.values(bytes) : []
    }

    init(_ columns: [RowPlan.Column], _ message: String) throws { try self.init(columns, Array(message.utf8)) }

    /// Encodes one column that reads the field `a`.
    init(_ type: ColumnType, _ value: String) throws {
        try self.init([RowPlan.Column("a", type)], "{\"a\":\(value)}")
    }

    private static func values(_ bytes: [UInt8]) -> [[UInt8]?] {
        var rest = bytes.dropFirst(2)
        var values: [[UInt8]?] = []
        while rest.count >= 4 {
            let length = rest.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            rest = rest.dropFirst(4)
            guard length != .max else {
                values.append(nil)
                continue
            }
            values.append(Array(rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
        }
        return values
    }

    var text: String? { values.first.flatMap(\.self).map { String(decoding: $0, as: UTF8.self) } }

    /// The first value as a big-endian number; nil if there is none.
    var number: Int64? {
        values.first.flatMap(\.self).map { bytes in
            let sign: Int64 = bytes.first ?? 0 >= 0x80 ? -1 : 0
            return bytes.reduce(sign) { $0 << 8 | Int64($1) }
        }
    }

    var rejection: String? { if case .rejected(let reason) = outcome { reason } else { nil } }

    var serverRow: String? {
        if case .server(let json) = outcome { String(decoding: json, as: UTF8.self) } else { nil }
    }
}

extension RowPlan.Column {
    /// A column that reads the top-level field of its name.
    init(_ name: String, _ type: ColumnType) {
        self.init(name: name, type: type, source: .path(JSONPath(steps: [.field(name)])))
    }

    init(_ name: String, _ type: ColumnType, path: String) throws {
        self.init(name: name, type: type, source: .path(try JSONPath(path)))
    }
}
