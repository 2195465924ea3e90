/// The hash by which Kafka's Java client gives a record with a key its partition, so that the same key goes to the
/// same partition whichever client writes it.
public enum Murmur2 {
    /// MurmurHash2, 32 bits, of the key with the Java client's seed.
    public static func hash(_ key: RawSpan) -> Int32 {
        let m: UInt32 = 0x5bd1_e995
        var hash = 0x9747_b28c ^ UInt32(truncatingIfNeeded: key.byteCount)
        var position = 0
        while position + 4 <= key.byteCount {
            // The loop's condition has seen the end.
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
