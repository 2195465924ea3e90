import KafkaWire

/// The partitioners of librdkafka, for producers that must send each key to the partition that kcat sends it to.
struct LibrdkafkaPartitioner: Partitioner, Equatable {
    /// The values of librdkafka's `partitioner`.
    enum Kind: String, CaseIterable {
        /// A random partition, regardless of the key.
        case random
        /// By the key's CRC-32. A null key counts as empty.
        case consistent
        /// By the key's CRC-32; a random partition if the key is null or empty. librdkafka's default.
        case consistentRandom = "consistent_random"
        /// By the murmur2 hash, as in the Java client. A null key counts as empty.
        case murmur2
        /// By the murmur2 hash, as in the Java client; any partition if the key is null. Kafka's default.
        case murmur2Random = "murmur2_random"
        /// By the FNV-1a hash, as in Sarama. A null key counts as empty.
        case fnv1a
        /// By the FNV-1a hash, as in Sarama; a random partition if the key is null.
        case fnv1aRandom = "fnv1a_random"
    }

    let kind: Kind

    func partition(topic: String, key: RawSpan?, value: RawSpan?, partitionCount: Int32) -> Int32? {
        let count = UInt32(partitionCount)
        switch (kind, key) {
        case (.random, _), (.consistentRandom, nil), (.fnv1aRandom, nil): return .random(in: 0..<partitionCount)
        case (.consistentRandom, let key?) where key.byteCount == 0: return .random(in: 0..<partitionCount)
        case (.consistent, nil): return 0
        case (.consistent, let key?), (.consistentRandom, let key?): return Int32(Self.crc32(key) % count)
        case (.fnv1a, nil): return Int32(Self.absolute(Self.fnvOffset) % count)
        case (.fnv1a, let key?), (.fnv1aRandom, let key?): return Int32(Self.fnv1a(key) % count)
        // The Java client's hash of an empty key.
        case (.murmur2, nil): return Int32(0x106e_08d9 % count)
        // nil selects Kafka's default partitioner, which uses the same hash.
        case (.murmur2, _), (.murmur2Random, _): return nil
        }
    }

    // MARK: Hashes

    private static let crcTable: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }

    static func crc32(_ bytes: RawSpan) -> UInt32 {
        var crc = UInt32.max
        for index in 0..<bytes.byteCount {
            crc = crcTable[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[index])] ^ crc >> 8
        }
        return ~crc
    }

    private static let fnvOffset: UInt32 = 0x811c_9dc5

    static func fnv1a(_ bytes: RawSpan) -> UInt32 {
        var hash = fnvOffset
        for index in 0..<bytes.byteCount { hash = (hash ^ UInt32(bytes[index])) &* 0x0100_0193 }
        return absolute(hash)
    }

    /// The absolute value of the bits as a signed integer.
    private static func absolute(_ hash: UInt32) -> UInt32 { Int32(bitPattern: hash).magnitude }
}
