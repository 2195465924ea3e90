import KafkaWire

/// When records came: those of a batch of Kafka's, or of some that came at the same time.
struct Arrival: Sendable, Equatable {
    let partition: TopicPartition
    /// Of the newest one, in milliseconds since 1970; negative where a batch has none.
    let timestamp: Int64
    var records: Int
}

extension [Arrival] {
    /// From so many on they are counted with the last one: a large batch may consist of very small ones of Kafka's.
    private static var most: Int { 4_096 }

    mutating func add(_ arrival: Arrival) {
        guard arrival.records > 0 else { return }
        if let last,
            last.timestamp == arrival.timestamp && last.partition == arrival.partition || count == Self.most
        {
            self[count - 1].records += arrival.records
        } else {
            append(arrival)
        }
    }
}
