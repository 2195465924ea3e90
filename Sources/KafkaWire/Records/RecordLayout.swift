/// The checked positions of one record's fields, in bytes from the start of its batch's records.
///
/// All fields lie within the record, in this order.
@usableFromInline
struct RecordLayout {
    @usableFromInline var timestampDelta: Int64
    @usableFromInline var offsetDelta: Int
    @usableFromInline var keyStart: Int
    /// -1 for null, as in `valueLength`.
    @usableFromInline var keyLength: Int
    @usableFromInline var valueStart: Int
    @usableFromInline var valueLength: Int
    /// The position of the next record.
    @usableFromInline var end: Int

    @inlinable
    @inline(__always)
    init(
        timestampDelta: Int64, offsetDelta: Int, keyStart: Int, keyLength: Int, valueStart: Int, valueLength: Int,
        end: Int
    ) {
        self.timestampDelta = timestampDelta
        self.offsetDelta = offsetDelta
        self.keyStart = keyStart
        self.keyLength = keyLength
        self.valueStart = valueStart
        self.valueLength = valueLength
        self.end = end
    }

    /// Decodes a common record on the fast path.
    ///
    /// A common record has no headers, its integers have at most three bytes, and at least 16 bytes are left in the
    /// batch.
    ///
    /// - Parameter start: The record's position; not negative.
    /// - Returns: nil for any other record, and for every malformed one: use `init(validating:)`.
    @inlinable
    @inline(__always)
    static func decodeFast(_ bytes: RawSpan, _ start: Int) -> RecordLayout? {
        // Four integers and the attributes take at most 13 bytes, and each integer is loaded as 4 bytes.
        guard start <= bytes.byteCount &- 16 else { return nil }
        var at = start
        guard let length = unsafe Varint.short(bytes, &at) else { return nil }
        let end = at &+ Int(length >> 1)
        // The attributes: one byte, unused.
        at &+= 1
        guard let timestampDelta = unsafe Varint.short(bytes, &at),
            let offsetDelta = unsafe Varint.short(bytes, &at),
            let keyLength = unsafe Varint.short(bytes, &at)
        else { return nil }
        // Zigzag encodes negative numbers as odd ones. 1 is -1 (null), and half of it is 0: null takes no bytes.
        guard (length | offsetDelta) & 1 == 0, keyLength & 1 == 0 || keyLength == 1 else { return nil }
        let keyStart = at
        at &+= Int(keyLength >> 1)
        guard at <= bytes.byteCount &- 4, let valueLength = unsafe Varint.short(bytes, &at) else { return nil }
        guard valueLength & 1 == 0 || valueLength == 1 else { return nil }
        let valueStart = at
        at &+= Int(valueLength >> 1)
        // The last byte is the number of headers. In bounds: `at` isn't negative, and the comparisons check the end.
        guard at &+ 1 == end, end <= bytes.byteCount,
            unsafe bytes.unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self) == 0
        else { return nil }
        return RecordLayout(
            timestampDelta: Varint.unzigzag(UInt64(timestampDelta)), offsetDelta: Int(offsetDelta >> 1),
            keyStart: keyStart, keyLength: keyLength == 1 ? -1 : Int(keyLength >> 1), valueStart: valueStart,
            valueLength: valueLength == 1 ? -1 : Int(valueLength >> 1), end: end)
    }

    /// Decodes any record, and checks all of it.
    ///
    /// - Parameters:
    ///   - start: The record's position; not negative.
    ///   - deltas: The valid offset deltas.
    /// - Throws: The reason why the record is malformed.
    init(validating bytes: RawSpan, _ start: Int, deltas: ClosedRange<Int>) throws(ProtocolError) {
        // An undecodable integer moves the position past any end, so the next comparison detects it.
        var at = start
        let length = Varint.int32(bytes, &at)
        guard at <= bytes.byteCount else {
            throw ProtocolError("its length is not a valid 32-bit variable-length integer", at: start)
        }
        guard length >= 0, length <= bytes.byteCount - at else {
            throw ProtocolError(
                "its length is \(length), but the batch has only \(bytes.byteCount - at) bytes left", at: start)
        }
        end = at + length
        at += 1
        timestampDelta = Varint.int64(bytes, &at)
        offsetDelta = Varint.int32(bytes, &at)
        guard at <= end else {
            throw ProtocolError("its timestamp or offset delta is not a valid variable-length integer", at: start)
        }
        guard deltas.contains(offsetDelta) else {
            throw ProtocolError(
                "its offset delta is \(offsetDelta), outside \(deltas.lowerBound) to "
                    + "\(deltas.upperBound)", at: start)
        }
        keyLength = try Self.field("key", bytes, &at, end)
        keyStart = at
        at += max(keyLength, 0)
        valueLength = try Self.field("value", bytes, &at, end)
        valueStart = at
        at += max(valueLength, 0)
        let headerCount = Varint.int32(bytes, &at)
        guard at <= end, RecordHeaders.isWellFormed(bytes.extracting(at..<end), count: headerCount) else {
            throw ProtocolError("its headers do not match its remaining bytes", at: start)
        }
    }

    /// The length of a byte field in bytes, checked to end before `end`; -1 for null.
    private static func field(
        _ name: StaticString, _ bytes: RawSpan, _ at: inout Int, _ end: Int
    ) throws(ProtocolError) -> Int {
        let start = at
        let length = Varint.int32(bytes, &at)
        guard at <= end, length >= -1, length <= end - at else {
            throw ProtocolError("the length of its \(name) is invalid or exceeds the record", at: start)
        }
        return length
    }
}
