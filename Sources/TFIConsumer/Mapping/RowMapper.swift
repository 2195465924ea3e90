import CommandLineSupport
import PGWire

/// Why a message can't be a row.
struct Rejection: Error, Equatable {
    let reason: String
}

/// Makes rows of messages: the key says which table, the JSON's fields are its columns.
///
/// A value is read where it lies in the message and written once, as the bytes that Postgres takes. Nothing on the
/// way of a good message allocates.
struct RowMapper: ~Copyable {
    private let schemas = MessageSchema.all
    /// One for each schema.
    private let plans = MessageSchema.all.map { CompactPlan($0) }
    private var timestamps = TimestampParser()

    /// The table's place in the list of schemas, for a message's key.
    func table(forKey key: RawSpan?) throws(Rejection) -> Int {
        guard let key else { throw Rejection(reason: "the key is missing") }
        for index in plans.indices where plans[index].hasKey(key) {
            return index
        }
        throw Rejection(reason: "the key \(Self.quote(key)) is not known")
    }

    /// Appends the row that a message's value stands for.
    ///
    /// - Parameters:
    ///   - table: What `table(forKey:)` said.
    ///   - rows: The table's rows; unchanged where the value can't be a row.
    mutating func append(_ value: RawSpan?, table: Int, to rows: inout CopyBuffer) throws(Rejection) {
        guard let value else { throw Rejection(reason: "the value is missing") }
        if plans[table].append(value, to: &rows, &timestamps) { return }
        try appendChecked(value, table: table, to: &rows)
    }

    /// The same for JSON in any form, and the reason where it can't be a row.
    @inline(never)
    private mutating func appendChecked(
        _ value: RawSpan, table: Int, to rows: inout CopyBuffer
    ) throws(Rejection) {
        let fields = schemas[table].fields
        var columns = InlineArray<8, Int64>(repeating: 0)
        var found: UInt32 = 0
        var cursor = JSONCursor(value)
        guard cursor.take("{") else { throw Self.notAnObject(&cursor) }
        if !cursor.take("}") {
            var expected = 0
            repeat {
                let index = try Self.takeName(&cursor, fields, expected)
                guard cursor.take(":") else {
                    _ = cursor.fail("a colon is expected after a field's name")
                    throw Self.notJSON(cursor)
                }
                guard let index else {
                    guard cursor.skipValue() else { throw Self.notJSON(cursor) }
                    continue
                }
                switch fields[index].type {
                case .int4: columns[index] = try Self.takeInt4(&cursor, fields[index])
                case .timestamp: columns[index] = try takeTimestamp(&cursor, fields[index])
                }
                found |= 1 << UInt32(truncatingIfNeeded: index)
                expected = index &+ 1
            } while cursor.take(",")
            guard cursor.take("}") else {
                _ = cursor.fail("a comma or a closing brace is expected")
                throw Self.notJSON(cursor)
            }
        }
        _ = cursor.peek()
        guard cursor.position == value.byteCount else {
            _ = cursor.fail("something follows the object")
            throw Self.notJSON(cursor)
        }
        guard found == 1 << UInt32(truncatingIfNeeded: fields.count) &- 1 else {
            let missing = fields.indices.first { found & (1 << UInt32($0)) == 0 } ?? 0
            throw Rejection(reason: "the field \(fields[missing].name) is missing")
        }
        rows.beginRow(columns: fields.count, reserving: schemas[table].rowSize)
        for index in fields.indices {
            switch fields[index].type {
            case .int4: rows.append(int4: Int32(truncatingIfNeeded: columns[index]))
            case .timestamp: rows.append(timestamp: columns[index])
            }
        }
    }

    // MARK: Fields

    /// Takes a field's name. Nil for one that the table has no column for.
    @inline(__always)
    private static func takeName(
        _ cursor: inout JSONCursor, _ fields: [MessageSchema.Field], _ expected: Int
    ) throws(Rejection) -> Int? {
        _ = cursor.peek()
        // Fields nearly always come in the table's order.
        if expected < fields.count, cursor.take(exactly: fields[expected].quotedName) { return expected }
        guard let name = cursor.takeString() else { throw notJSON(cursor) }
        if name.isPlain {
            // The quotes stand around the range.
            return fields.firstIndex { field in
                field.quotedName.count == name.range.count + 2
                    && field.quotedName.isIn(cursor.text, at: name.range.lowerBound - 1)
            }
        }
        let decoded = String(decoding: cursor.decode(name.range), as: UTF8.self)
        return fields.firstIndex { $0.name == decoded }
    }

    @inline(__always)
    private static func takeInt4(_ cursor: inout JSONCursor, _ field: MessageSchema.Field) throws(Rejection) -> Int64 {
        let first = cursor.peek()
        let start = cursor.position
        switch cursor.takeInteger() {
        case .value(let value):
            guard value >= Int64(Int32.min), value <= Int64(Int32.max) else { fallthrough }
            return value
        case .tooLarge:
            throw Rejection(
                reason: "the field \(field.name) is out of range: \(quote(cursor.text, start..<cursor.position))")
        case .notAnInteger:
            guard cursor.skipValue() else { throw notJSON(cursor) }
            let kind = first == UInt8(ascii: "n") ? "null" : quote(cursor.text, start..<cursor.position)
            throw Rejection(reason: "the field \(field.name) is not an integer: \(kind)")
        }
    }

    @inline(__always)
    private mutating func takeTimestamp(
        _ cursor: inout JSONCursor, _ field: MessageSchema.Field
    ) throws(Rejection) -> Int64 {
        let first = cursor.peek()
        let start = cursor.position
        guard first == UInt8(ascii: "\"") else {
            guard cursor.skipValue() else { throw Self.notJSON(cursor) }
            throw Rejection(
                reason: "the field \(field.name) is not a text: \(Self.quote(cursor.text, start..<cursor.position))")
        }
        guard let string = cursor.takeString() else { throw Self.notJSON(cursor) }
        let microseconds =
            if string.isPlain {
                timestamps.microseconds(cursor.text.extracting(string.range))
            } else {
                unsafe timestamps.microseconds(cursor.decode(string.range).span.bytes)
            }
        guard let microseconds else {
            throw Rejection(
                reason: "the field \(field.name) is not a time as yyyy-MM-dd HH:mm:ss.S that exists: "
                    + Self.quote(cursor.text, start..<cursor.position))
        }
        return microseconds
    }

    // MARK: Reasons

    private static func notJSON(_ cursor: borrowing JSONCursor) -> Rejection {
        Rejection(reason: "the value is not JSON: \(cursor.problem) at byte \(cursor.position)")
    }

    private static func notAnObject(_ cursor: inout JSONCursor) -> Rejection {
        guard cursor.skipValue() else { return notJSON(cursor) }
        _ = cursor.peek()
        guard cursor.position == cursor.text.byteCount else {
            _ = cursor.fail("something follows the value")
            return notJSON(cursor)
        }
        return Rejection(reason: "the value is JSON, but not an object")
    }

    private static func quote(_ text: RawSpan, _ range: Range<Int>) -> String {
        quote(text.extracting(range))
    }

    /// A part of a message as a reason can hold it: short, and escaped, so that Postgres can store it as text.
    static func quote(_ bytes: RawSpan) -> String {
        let shown = bytes.extracting(first: min(bytes.byteCount, 60))
        let text = unsafe shown.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        return "'" + ForeignText.visible(text) + (bytes.byteCount > 60 ? "…" : "") + "'"
    }
}
