import Concurrency

/// The result of a produce request.
struct ProduceAnswer: Sendable {
    let node: Int32
    let batches: [TopicPartition: ProducerBatch]
    /// The names of the topics, which an answer knows by their ids alone from version 13 on.
    let topicNames: [KafkaUUID: String]
    /// Nil for a request that no answer is expected to.
    let result: Result<ProduceResponse?, any Error>
}

/// Keeps answers in the order in which they came, which tasks of their own would not.
final class ProduceInbox: Sendable {
    private let queue = Lock<[ProduceAnswer]>([])

    func append(_ answer: ProduceAnswer) {
        queue.withLock { $0.append(answer) }
    }

    func takeAll() -> [ProduceAnswer] {
        queue.withLock { queue in
            defer { queue = [] }
            return queue
        }
    }
}
