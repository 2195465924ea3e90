import PGWire

/// Makes staged rows of records without a value: the key's columns of the row to delete, and nulls.
struct TombstoneEncoder: ~Copyable {
    /// For a key that is a JSON object.
    private var objectEncoder: RowEncoder
    /// For any other key.
    private var textEncoder: RowEncoder
    /// For each of the staged columns, its index among the key's columns; -1 for columns that stay null.
    private let places: [Int]
    private var row = CopyBuffer()

    /// - Parameter columns: Those of the route's rows.
    /// - Throws: `RowPlanError` for a plan that was not bound.
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

    /// The headers that the key's columns take.
    var headerNames: [String] { objectEncoder.headerNames }

    mutating func setHeader(_ index: Int, _ value: RawSpan?) {
        objectEncoder.setHeader(index, value)
        textEncoder.setHeader(index, value)
    }

    /// Appends a row of the staged columns, or says why not; the buffer is then as it was.
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

    /// Whether the first byte of a text that isn't white space begins an object.
    private static func isObject(_ key: RawSpan) -> Bool {
        unsafe key.withUnsafeBytes { bytes in
            unsafe bytes.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "{")
        }
    }
}
