/// The hash that Kafka's Java client uses to choose the partition of a record with a key.
///
/// With it, all clients send the same key to the same partition.
public enum Murmur2 {
    /// The key's 32-bit MurmurHash2 with the Java client's seed.
    public static func hash(_ key: RawSpan) -> Int32 {
        let m: UInt32 = 0x5bd1_e995
        var hash = 0x9747_b28c ^ UInt32(truncatingIfNeeded: key.byteCount)
        var position = 0
        while position + 4 <= key.byteCount {
            // The loop's condition has checked the bounds.
            let word = unsafe key.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt32.self)
            var k = UInt32(littleEndian: word) &* m
            k ^= k >> 24
            hash = hash &* m ^ k &* m
            position += 4
        }
        if position < key.byteCount {
            for (shift, index) in (position..<key.byteCount).enumerated() {
                let byte = unsafe key.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
                hash ^= UInt32(byte) << UInt32(8 * shift)
            }
            hash = hash &* m
        }
        hash ^= hash >> 13
        hash = hash &* m
        hash ^= hash >> 15
        return Int32(bitPattern: hash)
    }

    /// The partition that the Java client's default partitioner chooses.
    ///
    /// - Precondition: `count`, the topic's number of partitions, is above zero.
    public static func partition(forKey key: RawSpan, count: Int32) -> Int32 {
        precondition(count > 0)
        return (hash(key) & .max) % count
    }
}
