import KafkaWire

/// A count of records of one partition that arrived at the same time, often a whole record batch.
struct Arrival: Sendable, Equatable {
    let partition: TopicPartition
    /// The newest record's timestamp in milliseconds since 1970; negative if unknown.
    let timestamp: Int64
    var records: Int
}

extension [Arrival] {
    /// The most arrivals kept; further ones are counted with the last. A large batch may consist of very small record
    /// batches.
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
