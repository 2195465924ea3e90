import CZlib

/// One message of format 0 or 1, the predecessors of record batches, as written by producers before Kafka 0.11.
///
/// A message is either one record, or a wrapper whose value is a compressed set of messages.
///
/// Source: Kafka documentation, "Old Message Format"; KIP-31 for the offsets in a wrapper, KIP-32 for timestamps.
struct LegacyMessage {
    /// The size of the smallest message in bytes, indexed by format, without the 12 bytes of offset and length.
    static let smallestLength = [14, 22]

    let offset: Int64
    let format: Int8
    let codec: Int8
    let isLogAppendTime: Bool
    /// Milliseconds since 1970; -1 in format 0.
    let timestamp: Int64
    // Positions in the message set; nil for null.
    let range: Range<Int>
    let key: Range<Int>?
    let value: Range<Int>?

    /// - Parameters:
    ///   - set: The bytes of a message set.
    ///   - range: The message's position in it, from `RecordBatchHeader.framing`.
    ///   - checksCRC: Whether to verify the message's checksum.
    /// - Throws: `CORRUPT_MESSAGE`
    init(in set: RawSpan, _ range: Range<Int>, checksCRC: Bool) throws(KafkaError) {
        let bytes = set.extracting(range)
        self.range = range
        offset = bytes.bigEndian(at: 0)
        format = bytes.bigEndian(at: 16)
        let attributes: Int8 = bytes.bigEndian(at: 17)
        codec = attributes & 7
        guard offset >= 0, offset < .max else { throw Self.corrupt("its offset is \(offset)") }
        if checksCRC {
            let expected: UInt32 = bytes.bigEndian(at: 12)
            // The checksum covers everything after it.
            let actual = Self.crc(bytes.extracting(16...))
            guard actual == expected else {
                throw Self.corrupt("its checksum is \(hexadecimal(actual)) instead of \(hexadecimal(expected))")
            }
        }
        // `framing` has checked the length of the fixed-size fields.
        isLogAppendTime = format == 1 && attributes & 8 != 0
        timestamp = format == 1 ? bytes.bigEndian(at: 18) : -1
        var position = format == 1 ? 26 : 18
        key = try Self.field("key", bytes, &position, range.lowerBound)
        value = try Self.field("value", bytes, &position, range.lowerBound)
        guard position == bytes.byteCount else { throw Self.corrupt("unexpected bytes follow its value") }
    }

    private static func field(
        _ name: StaticString, _ bytes: RawSpan, _ position: inout Int, _ start: Int
    ) throws(KafkaError) -> Range<Int>? {
        guard position <= bytes.byteCount - 4 else { throw corrupt("it ends before its \(name)") }
        let length = Int(bytes.bigEndian(at: position, as: Int32.self))
        position += 4
        if length == -1 { return nil }
        guard length >= 0, length <= bytes.byteCount - position else {
            throw corrupt("its \(name) has the length \(length), but only \(bytes.byteCount - position) bytes are left")
        }
        defer { position += length }
        return start + position..<start + position + length
    }

    /// The CRC-32 of zlib and gzip.
    static func crc(_ bytes: RawSpan) -> UInt32 {
        unsafe bytes.withUnsafeBytes { buffer in
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return UInt32(truncatingIfNeeded: unsafe crc32_z(0, start, buffer.count))
        }
    }

    static func corrupt(_ reason: String) -> KafkaError {
        KafkaError(.corruptMessage, "a message in format 0 or 1 cannot be decoded: \(reason)")
    }
}
