/// Transactions (KIP-98): consumers with `isolation.level=read_committed` see a transaction's records, in any number of
/// partitions, and its offsets together or not at all.
///
/// They need `transactional.id`: a name that is the producer's own and stays the same when the program restarts. A producer
/// that starts with it ends the transactions of its predecessor, and fences it.
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
    /// The first call also calls `initTransactions` if necessary. If the task is cancelled, the transaction is aborted if
    /// `body` throws because of that; a commit that has begun is completed. If an abort gets no response in `max.block.ms`,
    /// the next call completes it first.
    ///
    /// - Throws: The error of `body`, after the abort or `max.block.ms`. The error of the commit, after the transaction was
    ///   aborted: it may be run again, with two exceptions. PRODUCER_FENCED and the other errors that `commitTransaction`
    ///   names mean that another producer is needed. After REQUEST_TIMED_OUT and other retriable errors of the commit it
    ///   isn't known whether the transaction was committed: call `commitTransaction` again to find out; until then this
    ///   throws INVALID_TXN_STATE. The error of an earlier transaction's abort that can't be completed: `body` did not run.
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
            // The next call reports a producer that can't continue, and completes an abort that timed out. This error is
            // the reason for the abort.
            try? await abortTransaction()
            throw error
        }
        do throws(KafkaError) {
            try await commitTransaction()
        } catch {
            // This does nothing if the transaction may have been committed, or if the producer can't continue.
            try? await abortTransaction()
            throw error
        }
        return result
    }

    /// Registers the producer under its `transactional.id`: an unfinished transaction of an earlier producer with that id is
    /// aborted, and brokers refuse that producer's requests from then on.
    ///
    /// Waits for `max.block.ms` at most, and may be called again after a retriable error.
    ///
    /// - Throws: INVALID_CONFIG without `transactional.id`; TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    ///   INVALID_TRANSACTION_TIMEOUT if `transaction.timeout.ms` is more than brokers allow.
    public nonisolated(nonsending) func initTransactions() async throws(KafkaError) {
        let manager = try transactionManager
        try await uncancelled { () throws(KafkaError) in try await manager.initialize() }
    }

    /// Begins a transaction. Every record that is sent from now on belongs to it.
    ///
    /// - Throws: INVALID_TXN_STATE before `initTransactions`, or in a transaction, also one whose commit or abort timed out;
    ///   the error that ended the producer.
    public nonisolated(nonsending) func beginTransaction() async throws(KafkaError) {
        try transactionManager.begin()
    }

    /// Commits offsets of a group when, and only if, the transaction is committed (KIP-447).
    ///
    /// - Parameters:
    ///   - offsets: For each partition the offset to resume from: one after the last processed record.
    ///   - group: The consumer's membership, `KafkaConsumer.groupMetadata`. For manually assigned partitions the group's
    ///     name is enough.
    ///
    /// If the group rebalances meanwhile, waits for the member's next generation and continues, for `max.block.ms` at
    /// most, as long as the consumer keeps the partitions.
    ///
    /// - Throws: ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID and FENCED_INSTANCE_ID if the consumer lost its membership or one of
    ///   the partitions. INCONSISTENT_TOPIC_ID if a topic was deleted and created again after its records were read. The
    ///   transaction must be aborted then, as after every other error except PRODUCER_FENCED.
    public nonisolated(nonsending) func sendOffsets(
        _ offsets: [TopicPartition: OffsetAndMetadata], group: ConsumerGroupMetadata
    ) async throws(KafkaError) {
        try await sendOffsets(offsets, group: group, transaction: nil)
    }

    /// - Parameter transaction: The number of the transaction that they must be part of; nil for the current one.
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
    /// - Throws: The error that prevents the commit: call `abortTransaction` then. PRODUCER_FENCED if another producer has
    ///   taken over the `transactional.id`, or the transaction took longer than `transaction.timeout.ms`: this producer
    ///   can't continue. After `max.block.ms` a retriable error: it isn't known whether the transaction was committed, and
    ///   another `commitTransaction` continues.
    public nonisolated(nonsending) func commitTransaction() async throws(KafkaError) {
        let manager = try transactionManager
        try await uncancelled { () throws(KafkaError) in try await manager.commit() }
    }

    /// Aborts the transaction. Records that are not sent yet fail with OPERATION_NOT_ATTEMPTED; the call waits for those in
    /// flight. The next transaction can begin afterwards, whatever made this one fail.
    ///
    /// - Throws: As `commitTransaction`. After a retriable error another `abortTransaction` continues.
    public nonisolated(nonsending) func abortTransaction() async throws(KafkaError) {
        let manager = try transactionManager
        try await uncancelled { () throws(KafkaError) in try await manager.abort() }
    }

    /// Runs `body` to its end, also if the task is cancelled.
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
