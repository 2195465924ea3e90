import KafkaWire

/// Sends all messages of a unit to one partition, so that they keep their order. Partitioning by their key, which is
/// the kind of message, would separate a unit's passages from its concerns.
enum UnitPartitioner {
    /// The partition that Kafka's Java client would choose for the unit's decimal number as the key.
    ///
    /// - Parameter count: The topic's number of partitions, above zero.
    static func partition(of unit: Int32, count: Int32) -> Int32 {
        var storage = InlineArray<16, UInt8>(repeating: 0)
        var writer = TextWriter(storage.mutableSpan)
        writer.append(unit)
        let length = writer.count
        let text = storage.span.extracting(0..<length)
        // The characters are ASCII bytes, and are read as bytes.
        return unsafe Murmur2.partition(forKey: text.bytes, count: count)
    }
}
