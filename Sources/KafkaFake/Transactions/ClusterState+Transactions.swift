import KafkaWire

// The brokers' transactional ids, and how what is decided of them gets into the logs.
extension ClusterState {
    /// How long a transaction may take (`transaction.max.timeout.ms`).
    static let maximumTransactionTimeout = Duration.seconds(900)

    /// The producer of a transactional id that says to be of this identity, or what a broker refuses it with.
    func check(transactionalID: String?, _ identity: TransactionalProducer.Identity) -> ErrorCode {
        guard let transactionalID, !transactionalID.isEmpty else { return .invalidRequest }
        guard let producer = transactionalProducers[transactionalID] else { return .invalidProducerIdMapping }
        return producer.check(identity)
    }

    /// Writes the markers of a transaction, and lets the offsets in it count or not.
    mutating func carryOut(_ decision: TransactionalProducer.Decision) {
        let marker = TransactionMarker(
            isCommit: decision.isCommit, producerID: decision.producerID, producerEpoch: decision.producerEpoch,
            timestamp: clock.milliseconds)
        for partition in decision.partitions.sorted() { self.partition(partition)?.append(marker) }
        for group in decision.groups {
            offsets.decide(group: group, producerID: decision.producerID, isCommit: decision.isCommit)
        }
    }

    /// Aborts the transactions whose time has passed.
    mutating func expireTransactions() {
        guard !transactionalProducers.isEmpty else { return }
        let now = clock.now
        for (id, producer) in transactionalProducers {
            guard let deadline = producer.deadline, deadline <= now else { continue }
            if let decision = transactionalProducers[id]?.timeOut() { carryOut(decision) }
        }
    }

    /// When the next transaction is aborted for taking too long.
    var transactionDeadline: ContinuousClock.Instant? {
        transactionalProducers.values.compactMap(\.deadline).min()
    }
}
