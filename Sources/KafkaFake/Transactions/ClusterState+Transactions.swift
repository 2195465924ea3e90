import KafkaWire

// The cluster's transactional ids, and how decisions about transactions reach the logs.
extension ClusterState {
    /// The longest transaction timeout (`transaction.max.timeout.ms`).
    static let maximumTransactionTimeout = Duration.seconds(900)

    /// Checks a request with this identity against the producer of its transactional id.
    func check(transactionalID: String?, _ identity: TransactionalProducer.Identity) -> ErrorCode {
        guard let transactionalID, !transactionalID.isEmpty else { return .invalidRequest }
        guard let producer = transactionalProducers[transactionalID] else { return .invalidProducerIdMapping }
        return producer.check(identity)
    }

    /// Writes the markers of a transaction, and commits or drops its offsets.
    mutating func carryOut(_ decision: TransactionalProducer.Decision) {
        let marker = TransactionMarker(
            isCommit: decision.isCommit, producerID: decision.producerID, producerEpoch: decision.producerEpoch,
            timestamp: clock.milliseconds)
        for partition in decision.partitions.sorted() { self.partition(partition)?.append(marker) }
        for group in decision.groups {
            offsets.decide(group: group, producerID: decision.producerID, isCommit: decision.isCommit)
        }
    }

    /// Aborts the transactions that have timed out.
    mutating func expireTransactions() {
        guard !transactionalProducers.isEmpty else { return }
        let now = clock.now
        for (id, producer) in transactionalProducers {
            guard let deadline = producer.deadline, deadline <= now else { continue }
            if let decision = transactionalProducers[id]?.timeOut() { carryOut(decision) }
        }
    }

    /// When the next transaction times out; nil if none is open.
    var transactionDeadline: ContinuousClock.Instant? {
        transactionalProducers.values.compactMap(\.deadline).min()
    }
}
