import KafkaWire

/// Writes the orders that a web shop accepts to Kafka.
public struct OrderService: Sendable {
    /// Why an order was not accepted, in the terms of the caller.
    public enum Refusal: Error, Hashable {
        /// The order is not in the topic. The caller may place it again.
        case notPlaced
        /// The order may be in the topic. The caller must place it again with the same id, and readers skip duplicates.
        case unknown
    }

    private let producer: KafkaProducer
    private let topic: String

    public init(producer: KafkaProducer, topic: String = "orders") {
        self.producer = producer
        self.topic = topic
    }

    /// Places an order, and returns its number: the offset in its partition.
    ///
    /// The id is the key, so all records of an order are in one partition and in order.
    public func place(id: String, item: String) async throws -> Int64 {
        do {
            return try await producer.send(ProducerRecord(topic: topic, key: id, value: item)).offset
        } catch let error as KafkaError where error.code == .requestTimedOut || error.code == .networkException {
            throw Refusal.unknown
        } catch is KafkaError {
            throw Refusal.notPlaced
        }
    }
}
