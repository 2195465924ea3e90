import PGWire

/// Encodes a tombstone as a staged row: the key columns of the row to delete, and nulls.
struct TombstoneEncoder: ~Copyable {
    /// For keys that are JSON objects.
    private var objectEncoder: RowEncoder
    /// For all other keys.
    private var textEncoder: RowEncoder
    /// For each staged column its index among the key columns; -1 for columns that stay null.
    private let places: [Int]
    private var row = CopyBuffer()

    /// - Parameter columns: The columns of the route's rows.
    /// - Throws: `RowPlanError` if the plan was not bound.
    init(_ key: BoundRoute.TombstoneKey, columns: [String]) throws(RowPlanError) {
        let keyColumns = key.columns.map { column in
            var column = column
            column.isNotNull = true
            return column
        }
        let objectEncoder = try RowEncoder(RowPlan(columns: keyColumns))
        let textEncoder = try RowEncoder(
            RowPlan(
                columns: keyColumns.map { column in
                    var column = column
                    if column.name == key.textColumn { column.source = .record(.key) }
                    return column
                }))
        self.objectEncoder = objectEncoder
        self.textEncoder = textEncoder
        places = columns.map { name in keyColumns.firstIndex { $0.name == name } ?? -1 }
    }

    mutating func setTopic(_ topic: String) {
        objectEncoder.setTopic(topic)
        textEncoder.setTopic(topic)
    }

    /// The headers that the key columns read.
    var headerNames: [String] { objectEncoder.headerNames }

    mutating func setHeader(_ index: Int, _ value: RawSpan?) {
        objectEncoder.setHeader(index, value)
        textEncoder.setHeader(index, value)
    }

    /// Appends a staged row, or leaves the buffer unchanged and returns the reason.
    mutating func encode(
        key: RawSpan?, metadata: RecordMetadata, into rows: inout CopyBuffer
    ) -> EncodedRow {
        row.removeAll()
        let outcome =
            if let key, Self.isObject(key) {
                objectEncoder.encode(value: key, key: key, metadata: metadata, into: &row)
            } else {
                textEncoder.encode(value: key, key: key, metadata: metadata, into: &row)
            }
        switch outcome {
        case .server: return outcome
        case .rejected(let reason):
            return .rejected("the record has no value, and does not say which row to delete: \(reason)")
        case .row: break
        }
        let values = row.values(ofRow: 0, CopyRowIndex(row))
        rows.beginRow(columns: places.count)
        for place in places {
            if values.indices.contains(place), let value = values[place] {
                unsafe rows.append(binary: value.span.bytes)
            } else {
                rows.appendNull()
            }
        }
        return .row
    }

    /// Whether the key's first byte after white space is `{`.
    private static func isObject(_ key: RawSpan) -> Bool {
        unsafe key.withUnsafeBytes { bytes in
            unsafe bytes.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "{")
        }
    }
}
