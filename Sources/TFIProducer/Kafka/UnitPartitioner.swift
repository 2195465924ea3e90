import KafkaWire

/// Gives each unit one partition for all its messages, so that they keep their order: their key is what they tell of,
/// and would part a unit's passages from its concerns.
enum UnitPartitioner {
    /// The partition that Kafka's Java client would choose for the unit's decimal number as a key.
    ///
    /// - Parameter count: The topic's number of partitions, above zero.
    static func partition(of unit: Int32, count: Int32) -> Int32 {
        var storage = InlineArray<16, UInt8>(repeating: 0)
        var writer = TextWriter(storage.mutableSpan)
        writer.append(unit)
        let length = writer.count
        let text = storage.span.extracting(0..<length)
        // The characters' bytes are read as bytes.
        return unsafe Murmur2.partition(forKey: text.bytes, count: count)
    }
}
