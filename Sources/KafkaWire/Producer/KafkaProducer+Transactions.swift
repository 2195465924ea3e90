/// Transactions (KIP-98): records in any number of partitions, and a group's offsets, that count all together or not at
/// all for who reads with `isolation.level=read_committed`.
///
/// They need `transactional.id`: a name of the producer's own that stays when the program starts again. A producer that
/// begins with it ends the transactions of the one before, and fences it off.
extension KafkaProducer {
    /// Runs a transaction: commits it when `body` returns, and aborts it when `body` throws.
    ///
    /// ```swift
    /// try await producer.withTransaction { transaction in
    ///     try await transaction.enqueue(ProducerRecord(topic: "output", value: result))
    ///     try await transaction.sendOffsets([partition: OffsetAndMetadata(next)], group: group)
    /// }
    /// ```
    ///
    /// The first one calls `initTransactions` where that hasn't been done. A task that is cancelled aborts where `body`
    /// throws for that; a commit that has begun goes on. An abort that the coordinator didn't answer in `max.block.ms`
    /// is finished by the next call, before anything else.
    ///
    /// - Throws: What `body` throws, once the transaction is aborted, or `max.block.ms` is over. The error of the
    ///   commit: the transaction is aborted then as well, and may be run again, but for two. PRODUCER_FENCED and others
    ///   of `commitTransaction` mean that another producer has to be made. After REQUEST_TIMED_OUT and other retriable
    ///   errors of the commit it isn't known whether the transaction was committed: `commitTransaction` tells, when it
    ///   is called again, and until then this throws INVALID_TXN_STATE. The error of an earlier transaction's abort
    ///   that can't be finished: `body` hasn't run then.
    @discardableResult
    public func withTransaction<Result: Sendable>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (KafkaTransaction) async throws -> sending Result
    ) async throws -> sending Result {
        let manager = try transactionManager
        if !manager.isInitialized { try await initTransactions() }
        if manager.hasUnfinishedAbort { try await abortTransaction() }
        try await beginTransaction()
        let result: Result
        do {
            result = try await body(KafkaTransaction(self, number: manager.number))
        } catch {
            // The next call tells of a producer that can't go on, and finishes an abort that ran out of time; the
            // reason for the abort is this one.
            try? await abortTransaction()
            throw error
        }
        do throws(KafkaError) {
            try await commitTransaction()
        } catch {
            // Where it can't be aborted, because it may have been committed, or because the producer has come to its
            // end, this does nothing.
            try? await abortTransaction()
            throw error
        }
        return result
    }

    /// Makes the producer known under its `transactional.id`: an unfinished transaction of an earlier producer of that
    /// name is aborted, and what it still sends is refused.
    ///
    /// Waits for up to `max.block.ms`, and may be called again after an error that is retriable.
    ///
    /// - Throws: INVALID_CONFIG without `transactional.id`; TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    ///   INVALID_TRANSACTION_TIMEOUT where `transaction.timeout.ms` is more than brokers allow.
    public func initTransactions() async throws(KafkaError) {
        let manager = try transactionManager
        try await uncancelled { () throws(KafkaError) in try await manager.initialize() }
    }

    /// Begins a transaction. Every record that is sent from here on belongs to it.
    ///
    /// - Throws: INVALID_TXN_STATE before `initTransactions` or in a transaction, one among them whose end ran out of
    ///   time; the error that has ended the producer.
    public func beginTransaction() async throws(KafkaError) {
        try transactionManager.begin()
    }

    /// Commits offsets of a group when, and only if, the transaction is committed (KIP-447).
    ///
    /// - Parameters:
    ///   - offsets: For each partition the offset to go on reading with: one after the last record that is done.
    ///   - group: The consumer's membership, `KafkaConsumer.groupMetadata`. For partitions that were assigned by hand the
    ///     group's name is enough.
    ///
    /// If the group rebalances meanwhile, waits for the member's next generation and continues, for `max.block.ms` at
    /// most, as long as the consumer keeps the partitions.
    ///
    /// - Throws: ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID and FENCED_INSTANCE_ID if the consumer lost its membership or one of
    ///   the partitions. INCONSISTENT_TOPIC_ID if a topic was deleted and created again after its records were read. The
    ///   transaction has to be aborted then, as with every other error but PRODUCER_FENCED.
    public func sendOffsets(
        _ offsets: [TopicPartition: OffsetAndMetadata], group: ConsumerGroupMetadata
    ) async throws(KafkaError) {
        try await sendOffsets(offsets, group: group, transaction: nil)
    }

    /// - Parameter transaction: The number of the transaction that they have to be part of; nil for the current one.
    func sendOffsets(
        _ offsets: [TopicPartition: OffsetAndMetadata], group: ConsumerGroupMetadata, transaction: UInt64?
    ) async throws(KafkaError) {
        let manager = try transactionManager
        guard !offsets.isEmpty else { return }
        try await uncancelled { () throws(KafkaError) in
            try await manager.send(offsets, group: group, in: transaction)
        }
    }

    /// Waits until all records of the transaction are written, and commits it.
    ///
    /// - Throws: The error that keeps it from being committed: call `abortTransaction` then. PRODUCER_FENCED where
    ///   another producer has taken over the `transactional.id`, or the transaction took longer than
    ///   `transaction.timeout.ms`: this producer can't go on. After `max.block.ms`, an error that is retriable: whether
    ///   it was committed isn't known, and another `commitTransaction` goes on with it.
    public func commitTransaction() async throws(KafkaError) {
        let manager = try transactionManager
        try await uncancelled { () throws(KafkaError) in try await manager.commit() }
    }

    /// Drops what the transaction has sent: records that aren't sent yet fail with OPERATION_NOT_ATTEMPTED, and those in
    /// flight are waited for. The next transaction can begin afterwards, whatever spoiled this one.
    ///
    /// - Throws: As `commitTransaction`. After an error that is retriable, another `abortTransaction` goes on with it.
    public func abortTransaction() async throws(KafkaError) {
        let manager = try transactionManager
        try await uncancelled { () throws(KafkaError) in try await manager.abort() }
    }

    /// Runs to its end what mustn't be left half done when the task is cancelled.
    private func uncancelled(
        _ body: @escaping @Sendable () async throws(KafkaError) -> Void
    ) async throws(KafkaError) {
        let result = await Task { () -> Result<Void, KafkaError> in
            do throws(KafkaError) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }.value
        try result.get()
    }
}
