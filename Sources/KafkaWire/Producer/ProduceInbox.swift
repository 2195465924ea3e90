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

extension ProduceRequest {
    /// A request for one batch of each partition.
    ///
    /// - Parameter timeout: How long the leader may wait for the replicas.
    init(
        _ batches: [TopicPartition: ByteSlice], topicIDs: [String: KafkaUUID], transactionalID: String?,
        acks: ProducerConfiguration.Acks, timeout: Duration
    ) {
        self.init(
            transactionalId: transactionalID, acks: acks.rawValue,
            timeoutMs: timeout.asMilliseconds,
            topicData: Dictionary(grouping: batches.keys.sorted(), by: \.topic).map { topic, keys in
                TopicData(
                    name: topic, topicId: topicIDs[topic] ?? .zero,
                    partitionData: keys.map { PartitionData(index: $0.partition, records: batches[$0]) })
            })
    }
}
