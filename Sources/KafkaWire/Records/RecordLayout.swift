/// Where the parts of one record lie among the records of its batch, in bytes from their beginning: all of it seen to
/// be there, in this order, within the record.
@usableFromInline
struct RecordLayout {
    @usableFromInline var timestampDelta: Int64
    @usableFromInline var offsetDelta: Int
    @usableFromInline var keyStart: Int
    /// -1 for null, as for the value.
    @usableFromInline var keyLength: Int
    @usableFromInline var valueStart: Int
    @usableFromInline var valueLength: Int
    /// Where the next record begins.
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

    /// Decodes an everyday record: one that has no headers, whose integers have three bytes at most, and which isn't
    /// at the very end of its batch. Any other one, and every malformed one, is nil and left to `init(carefully:)`.
    ///
    /// - Parameter start: Where the record begins; not negative.
    @inlinable
    @inline(__always)
    static func everyday(_ bytes: RawSpan, _ start: Int) -> RecordLayout? {
        // Four integers and the byte of attributes are 13 bytes at most, and each integer is loaded as 4 bytes.
        guard start <= bytes.byteCount &- 16 else { return nil }
        var at = start
        guard let length = unsafe Varint.short(bytes, &at) else { return nil }
        let end = at &+ Int(length >> 1)
        // One byte of attributes, none of them in use.
        at &+= 1
        guard let timestampDelta = unsafe Varint.short(bytes, &at),
            let offsetDelta = unsafe Varint.short(bytes, &at),
            let keyLength = unsafe Varint.short(bytes, &at)
        else { return nil }
        // Zigzag has negative numbers as odd ones; 1 is -1, for null, and half of it is the 0 bytes that null has.
        guard (length | offsetDelta) & 1 == 0, keyLength & 1 == 0 || keyLength == 1 else { return nil }
        let keyStart = at
        at &+= Int(keyLength >> 1)
        guard at <= bytes.byteCount &- 4, let valueLength = unsafe Varint.short(bytes, &at) else { return nil }
        guard valueLength & 1 == 0 || valueLength == 1 else { return nil }
        let valueStart = at
        at &+= Int(valueLength >> 1)
        // What is left is the number of headers. The position isn't negative, and the comparisons see the end.
        guard at &+ 1 == end, end <= bytes.byteCount,
            unsafe bytes.unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self) == 0
        else { return nil }
        return RecordLayout(
            timestampDelta: Varint.unzigzag(UInt64(timestampDelta)), offsetDelta: Int(offsetDelta >> 1),
            keyStart: keyStart, keyLength: keyLength == 1 ? -1 : Int(keyLength >> 1), valueStart: valueStart,
            valueLength: valueLength == 1 ? -1 : Int(valueLength >> 1), end: end)
    }

    /// Decodes any record.
    ///
    /// - Parameters:
    ///   - start: Where the record begins; not negative.
    ///   - deltas: The offset deltas that it may have.
    /// - Throws: What is wrong with a malformed one.
    init(carefully bytes: RawSpan, _ start: Int, deltas: ClosedRange<Int>) throws(ProtocolError) {
        // An integer that can't be decoded moves the position behind every end, where the next comparison sees it.
        var at = start
        let length = Varint.int32(bytes, &at)
        guard at <= bytes.byteCount else {
            throw ProtocolError("its length isn't a variable-length integer of 32 bits", at: start)
        }
        guard length >= 0, length <= bytes.byteCount - at else {
            throw ProtocolError(
                "its length is \(length), with \(bytes.byteCount - at) bytes left in the batch", at: start)
        }
        end = at + length
        at += 1
        timestampDelta = Varint.int64(bytes, &at)
        offsetDelta = Varint.int32(bytes, &at)
        guard at <= end else {
            throw ProtocolError("its timestamp and offset aren't variable-length integers within it", at: start)
        }
        guard deltas.contains(offsetDelta) else {
            throw ProtocolError(
                "its offset is \(offsetDelta) from the base offset, where \(deltas.lowerBound) to "
                    + "\(deltas.upperBound) can be", at: start)
        }
        keyLength = try Self.field("key", bytes, &at, end)
        keyStart = at
        at += max(keyLength, 0)
        valueLength = try Self.field("value", bytes, &at, end)
        valueStart = at
        at += max(valueLength, 0)
        let headerCount = Varint.int32(bytes, &at)
        guard at <= end, RecordHeaders.isWellFormed(bytes.extracting(at..<end), count: headerCount) else {
            throw ProtocolError("its headers aren't what its remaining bytes hold", at: start)
        }
    }

    /// The length of a byte field, -1 for null, which is seen to fit before `end`.
    private static func field(
        _ name: StaticString, _ bytes: RawSpan, _ at: inout Int, _ end: Int
    ) throws(ProtocolError) -> Int {
        let start = at
        let length = Varint.int32(bytes, &at)
        guard at <= end, length >= -1, length <= end - at else {
            throw ProtocolError("the length of its \(name) isn't one within it", at: start)
        }
        return length
    }
}
