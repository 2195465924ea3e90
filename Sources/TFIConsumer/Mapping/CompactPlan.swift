import PGWire

/// The fast way from a message to its row, for one kind of message.
///
/// A class, since a value of this size is copied wherever it is used, which cost more than the message.
final class CompactPlan: Sendable {
    private let key: ShortText
    private let fieldCount: Int
    private let rowSize: Int
    /// Each field's name with its quotes and the colon behind it.
    private let names: InlineArray<8, ShortText>
    /// A bit for each field that is a timestamp; the others are integers.
    private let timestamps: UInt32

    init(_ schema: MessageSchema) {
        key = schema.key
        fieldCount = schema.fields.count
        rowSize = schema.rowSize
        var names = InlineArray<8, ShortText>(repeating: ShortText("\"unused\":"))
        var timestamps: UInt32 = 0
        for (index, field) in schema.fields.enumerated() {
            names[index] = ShortText("\"\(field.name)\":")
            if field.type == .timestamp { timestamps |= 1 << UInt32(index) }
        }
        self.names = names
        self.timestamps = timestamps
    }
}

extension CompactPlan {
    /// Whether messages of this kind have this key.
    @inline(__always)
    func hasKey(_ bytes: RawSpan) -> Bool {
        key.count == bytes.byteCount && key.isIn(bytes, at: 0)
    }

    /// Appends the row of a message in the form that a program writes: every field once, in the table's order, with no
    /// white space but single spaces after commas and colons.
    ///
    /// - Returns: False where the message has any other form, right or wrong; nothing was appended then.
    @inline(__always)
    func append(_ value: RawSpan, to rows: inout CopyBuffer, _ times: inout TimestampParser) -> Bool {
        let count = value.byteCount
        var columns = InlineArray<8, Int64>(repeating: 0)
        var position = 0
        /// The byte at `position`; 0, which no message of this form has, at the end.
        func next() -> UInt8 {
            // The offset is compared with the count, and never negative.
            position < count ? unsafe value.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self) : 0
        }
        var separator = UInt8(ascii: "{")
        for index in 0..<fieldCount {
            guard next() == separator else { return false }
            separator = UInt8(ascii: ",")
            position &+= 1
            if next() == UInt8(ascii: " ") { position &+= 1 }
            guard names[index].isIn(value, at: position) else { return false }
            position &+= names[index].count
            if next() == UInt8(ascii: " ") { position &+= 1 }
            if timestamps & 1 << UInt32(truncatingIfNeeded: index) != 0 {
                guard next() == UInt8(ascii: "\""),
                    let time = times.microseconds(value, from: position &+ 1)
                else { return false }
                columns[index] = time.microseconds
                position = time.end
                guard next() == UInt8(ascii: "\"") else { return false }
                position &+= 1
            } else {
                let isNegative = next() == UInt8(ascii: "-")
                if isNegative { position &+= 1 }
                let first = position
                let leading = next()
                // Ten digits hold every integer that can be in range.
                let limit = min(count, first &+ 10)
                var magnitude: Int64 = 0
                while position < limit {
                    let digit =
                        unsafe value.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
                        &- UInt8(ascii: "0")
                    guard digit <= 9 else { break }
                    magnitude = magnitude &* 10 &+ Int64(digit)
                    position &+= 1
                }
                let number = isNegative ? 0 &- magnitude : magnitude
                // A number that begins with a zero and goes on isn't JSON.
                guard position > first, number == Int64(Int32(truncatingIfNeeded: number)),
                    position == first &+ 1 || leading != UInt8(ascii: "0")
                else { return false }
                columns[index] = number
            }
        }
        guard next() == UInt8(ascii: "}"), position == count &- 1 else { return false }
        rows.beginRow(columns: fieldCount, reserving: rowSize)
        for index in 0..<fieldCount {
            if timestamps & 1 << UInt32(truncatingIfNeeded: index) != 0 {
                rows.append(timestamp: columns[index])
            } else {
                rows.append(int4: Int32(truncatingIfNeeded: columns[index]))
            }
        }
        return true
    }
}
