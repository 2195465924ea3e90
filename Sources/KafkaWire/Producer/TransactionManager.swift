import Concurrency

/// A producer's transactions: carries out the decisions of `TransactionStateMachine` at the coordinators.
///
/// The application calls it from any task, and the sender asks which partitions it may send. An error of the transaction
/// stops both: no record is accepted, and waiting batches fail.
final class TransactionManager: Sendable {
    let transactionalID: String
    let accumulator: Accumulator
    let coordinators: CoordinatorCalls
    private let configuration: ProducerConfiguration

    private struct State {
        var machine = TransactionStateMachine()
        /// The task that adds partitions to the transaction.
        var adding: Task<Void, Never>?
    }

    /// Guards the transaction's state.
    private let state = Lock(State())

    init(
        transactionalID: String, cluster: Cluster, configuration: ProducerConfiguration, accumulator: Accumulator
    ) {
        self.transactionalID = transactionalID
        self.accumulator = accumulator
        self.configuration = configuration
        coordinators = CoordinatorCalls(cluster: cluster)
        accumulator.refuse(Self.noTransaction)
    }

    private static let noTransaction = KafkaError(
        .invalidTxnState, "no transaction is in progress: call beginTransaction() before sending records")

    /// The error for a `KafkaTransaction` that is used after its transaction ended.
    static let transactionEnded = KafkaError(
        .invalidTxnState,
        "the transaction of this KafkaTransaction has ended; use the one that withTransaction passes to its closure")

    // MARK: For the sender

    /// Whether batches are sent and retried.
    var isSending: Bool { state.withLock { $0.machine.isSending } }

    var identity: ProducerIdentity? { state.withLock { $0.machine.identity } }

    /// From version 12 of Produce on, brokers add partitions to the transaction by themselves (KIP-890).
    var lastProduceVersion: Int16 { state.withLock { $0.machine.isVersion2 } ? .max : 11 }

    /// The partitions that are in the transaction. The others are added to it, and then the sender is notified.
    func admit(_ partitions: [TopicPartition]) -> [TopicPartition] {
        let (admitted, toAdd) = state.withLock { $0.machine.admit(partitions) }
        if !toAdd.isEmpty {
            let task = Task { await add(toAdd) }
            state.withLock { $0.adding = task }
        }
        return admitted
    }

    /// A batch of the transaction was given up.
    func batchFailed(_ error: KafkaError, hadNumber: Bool) {
        if hadNumber { state.withLock { $0.machine.numberedBatchLost() } }
        failed(error, isFatal: error.isFromBroker && error.endsTransactionalProducer)
    }

    /// The sender has stopped; all records that were not written fail.
    func senderStopped(_ error: KafkaError) {
        failed(error, isFatal: true)
    }

    private func add(_ partitions: [TopicPartition]) async {
        do {
            guard let identity else { return }
            try await coordinators.add(
                partitions, to: transactionalID, as: identity, limit: configuration.deliveryTimeout,
                while: { self.isSending })
            state.withLock { $0.machine.added(partitions) }
        } catch {
            state.withLock { $0.machine.addingFailed(isCertain: error.isFromBroker && !error.isRetriable) }
            failed(error, isFatal: !error.letsTransactionAbort)
        }
        accumulator.signal.notify()
    }

    /// - Returns: The error, with what it means for the producer and its transaction.
    @discardableResult
    private func failed(_ error: KafkaError, isFatal: Bool) -> KafkaError {
        let error = error.inTransaction(isFatal: isFatal)
        guard state.withLock({ $0.machine.failed(error, isFatal: isFatal) }) else { return error }
        accumulator.refuse(error)
        if accumulator.failWaiting(error) { state.withLock { $0.machine.numberedBatchLost() } }
        return error
    }

    // MARK: Beginning

    var isInitialized: Bool { state.withLock { $0.machine.state != .uninitialized } }

    /// Whether a transaction may be aborted: one that is in progress and not being ended.
    var isToBeEnded: Bool { state.withLock { $0.machine.canAbort } }

    /// Whether the last abort timed out: no transaction can begin before another call of it succeeds.
    var hasUnfinishedAbort: Bool { state.withLock { $0.machine.hasUnfinishedAbort } }

    func initialize() async throws(KafkaError) {
        guard configuration.isIdempotent else {
            throw KafkaError(.invalidConfig, "transactional.id needs acks=all and enable.idempotence=true")
        }
        try state.withLock { state throws(KafkaError) in try state.machine.beginInitializing() }
        do throws(KafkaError) {
            let identity = try await coordinators.initialize(
                transactionalID, configuration, after: nil, limit: configuration.maximumBlockTime)
            state.withLock { $0.machine.initialized(as: identity) }
        } catch {
            state.withLock { $0.machine.initialized(as: nil) }
            guard !error.isRetriable, !error.letsTransactionAbort else { throw error }
            throw failed(error, isFatal: true)
        }
    }

    func begin() throws(KafkaError) {
        let isVersion2 = coordinators.feature("transaction.version") >= 2
        let number = try state.withLock { state throws(KafkaError) in
            try state.machine.begin(isVersion2: isVersion2)
            return state.machine.number
        }
        accumulator.accept(transaction: number)
    }

    /// The number of the current transaction, or of the last one.
    var number: UInt64 { state.withLock { $0.machine.number } }

    // MARK: Offsets

    /// - Parameter number: The transaction that the offsets must be part of; nil for the current one.
    func send(
        _ offsets: [TopicPartition: OffsetAndMetadata], group: ConsumerGroupMetadata, in number: UInt64? = nil
    ) async throws(KafkaError) {
        let (needsAdding, identity, isVersion2) = try state.withLock { state throws(KafkaError) in
            (
                try state.machine.beginOffsets(of: group.groupID, in: number), state.machine.identity,
                state.machine.isVersion2
            )
        }
        defer { state.withLock { $0.machine.endOffsets() } }
        guard let identity else { return }
        let limit = configuration.maximumBlockTime
        do throws(KafkaError) {
            if needsAdding {
                try await coordinators.add(group: group.groupID, to: transactionalID, as: identity, limit: limit)
                state.withLock { $0.machine.added(group: group.groupID) }
            }
            try await coordinators.commit(
                offsets, of: group, in: transactionalID, as: identity, isVersion2: isVersion2, limit: limit)
        } catch {
            throw failed(error, isFatal: !error.letsTransactionAbort)
        }
    }

    // MARK: Ending

    func commit() async throws(KafkaError) {
        try state.withLock { state throws(KafkaError) in try state.machine.beginCommit() }
        accumulator.refuse(Self.noTransaction)
        await accumulator.flush()
        if let error = state.withLock({ $0.machine.error }) { throw error }
        try await end(committing: true)
    }

    func abort() async throws(KafkaError) {
        try state.withLock { state throws(KafkaError) in try state.machine.beginAbort() }
        accumulator.refuse(Self.noTransaction)
        let dropped = KafkaError(.operationNotAttempted, "the transaction was aborted before the record was sent")
        if accumulator.failWaiting(dropped) { state.withLock { $0.machine.numberedBatchLost() } }
        // Wait for batches in flight: none of them may arrive in a later transaction.
        await accumulator.flush()
        try await end(committing: false)
    }

    /// Ends the transaction, which has no batch in flight any more.
    private func end(committing: Bool) async throws(KafkaError) {
        await state.withLock { $0.adding }?.value
        let plan = state.withLock { $0.machine }
        let limit = configuration.maximumBlockTime
        do throws(KafkaError) {
            if case .fatalError(let error) = plan.state { throw error }
            guard var identity = plan.identity else { return }
            if plan.start != .no {
                identity = try await coordinators.end(
                    transactionalID, committing: committing, as: identity, isVersion2: plan.isVersion2,
                    mayBeUnknown: plan.start == .maybe, limit: limit)
            }
            if plan.needsEpoch, !(plan.isVersion2 && plan.start != .no) {
                identity = try await coordinators.initialize(
                    transactionalID, configuration, after: identity, limit: limit)
            }
            state.withLock { $0.machine.ended(as: identity) }
        } catch {
            if error.isRetriable {
                state.withLock { $0.machine.endingFailed() }
                throw error
            }
            throw failed(error, isFatal: !(committing && error.letsTransactionAbort))
        }
    }
}
