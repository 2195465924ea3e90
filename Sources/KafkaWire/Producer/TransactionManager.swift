import Concurrency

/// A producer's transactions: what `TransactionStateMachine` decides, said to the coordinators.
///
/// The calls of the application come here from any task, and the sender asks with each round which partitions it may
/// send. An error that spoils the transaction stops both: no record is taken in, and what waits is failed.
final class TransactionManager: Sendable {
    let transactionalID: String
    let accumulator: Accumulator
    let coordinators: CoordinatorCalls
    private let configuration: ProducerConfiguration
    private let machine = Lock(TransactionStateMachine())
    /// The request that puts partitions into the transaction, while it is under way.
    private let adding = Lock<Task<Void, Never>?>(nil)

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
        .invalidTxnState, "no transaction is under way: a transactional producer sends within transactions alone")

    /// The error of a `KafkaTransaction` that is used after its transaction ended.
    static let transactionEnded = KafkaError(
        .invalidTxnState,
        "the transaction of this KafkaTransaction has ended; use the one that withTransaction passes to its closure")

    // MARK: For the sender

    /// Whether batches are sent, and sent again where they fail for a passing reason.
    var isSending: Bool { machine.withLock { $0.isSending } }

    var identity: ProducerIdentity? { machine.withLock { $0.identity } }

    /// From version 12 of Produce on, brokers put partitions into the transaction by themselves (KIP-890).
    var lastProduceVersion: Int16 { machine.withLock { $0.isVersion2 } ? .max : 11 }

    /// Those of the partitions that are in the transaction. The others are put into it, and the sender is told then.
    func admit(_ partitions: [TopicPartition]) -> [TopicPartition] {
        let (admitted, toAdd) = machine.withLock { $0.admit(partitions) }
        if !toAdd.isEmpty {
            let task = Task { await add(toAdd) }
            adding.withLock { $0 = task }
        }
        return admitted
    }

    /// A batch of the transaction was given up.
    func batchFailed(_ error: KafkaError, hadNumber: Bool) {
        if hadNumber { machine.withLock { $0.lostCount() } }
        failed(error, isFatal: error.isFromBroker && error.endsTransactionalProducer)
    }

    /// The sender has come to its end, and everything that wasn't written has failed.
    func senderStopped(_ error: KafkaError) {
        failed(error, isFatal: true)
    }

    private func add(_ partitions: [TopicPartition]) async {
        do {
            guard let identity else { return }
            try await coordinators.add(
                partitions, to: transactionalID, as: identity, limit: configuration.deliveryTimeout,
                while: { self.isSending })
            machine.withLock { $0.added(partitions) }
        } catch {
            machine.withLock { $0.addingFailed(isCertain: error.isFromBroker && !error.isRetriable) }
            failed(error, isFatal: !error.letsTransactionAbort)
        }
        accumulator.signal.notify()
    }

    /// - Returns: The error, with what it means for the producer and its transaction.
    @discardableResult
    private func failed(_ error: KafkaError, isFatal: Bool) -> KafkaError {
        let error = error.inTransaction(isFatal: isFatal)
        guard machine.withLock({ $0.failed(error, isFatal: isFatal) }) else { return error }
        accumulator.refuse(error)
        if accumulator.failWaiting(error) { machine.withLock { $0.lostCount() } }
        return error
    }

    // MARK: Beginning

    var isInitialized: Bool { machine.withLock { $0.state != .uninitialized } }

    /// Whether a transaction is under way that may be aborted, and that nobody has begun to end.
    var isToBeEnded: Bool { machine.withLock { $0.canAbort } }

    /// Whether the last abort ran out of time: no transaction can begin before another call of it has ended.
    var hasUnfinishedAbort: Bool { machine.withLock { $0.hasUnfinishedAbort } }

    func initialize() async throws(KafkaError) {
        guard configuration.isIdempotent else {
            throw KafkaError(.invalidConfig, "transactional.id needs acks=all and enable.idempotence=true")
        }
        try machine.withLock { machine throws(KafkaError) in try machine.beginInitializing() }
        do throws(KafkaError) {
            let identity = try await coordinators.initialize(
                transactionalID, configuration, after: nil, limit: configuration.maximumBlockTime)
            machine.withLock { $0.initialized(as: identity) }
        } catch {
            machine.withLock { $0.initialized(as: nil) }
            guard !error.isRetriable, !error.letsTransactionAbort else { throw error }
            throw failed(error, isFatal: true)
        }
    }

    func begin() throws(KafkaError) {
        let isVersion2 = coordinators.feature("transaction.version") >= 2
        let number = try machine.withLock { machine throws(KafkaError) in
            try machine.begin(isVersion2: isVersion2)
            return machine.number
        }
        accumulator.accept(transaction: number)
    }

    /// The number of the current transaction, or of the last one.
    var number: UInt64 { machine.withLock { $0.number } }

    // MARK: Within

    /// - Parameter number: The transaction that the offsets have to be part of; nil for the current one.
    func send(
        _ offsets: [TopicPartition: OffsetAndMetadata], group: ConsumerGroupMetadata, in number: UInt64? = nil
    ) async throws(KafkaError) {
        let (needsAdding, identity, isVersion2) = try machine.withLock { machine throws(KafkaError) in
            (try machine.beginOffsets(of: group.groupID, in: number), machine.identity, machine.isVersion2)
        }
        defer { machine.withLock { $0.endOffsets() } }
        guard let identity else { return }
        let limit = configuration.maximumBlockTime
        do throws(KafkaError) {
            if needsAdding {
                try await coordinators.add(group: group.groupID, to: transactionalID, as: identity, limit: limit)
                machine.withLock { $0.added(group: group.groupID) }
            }
            try await coordinators.commit(
                offsets, of: group, in: transactionalID, as: identity, isVersion2: isVersion2, limit: limit)
        } catch {
            throw failed(error, isFatal: !error.letsTransactionAbort)
        }
    }

    // MARK: Ending

    func commit() async throws(KafkaError) {
        try machine.withLock { machine throws(KafkaError) in try machine.beginCommit() }
        accumulator.refuse(Self.noTransaction)
        await accumulator.flush()
        if let error = machine.withLock({ $0.error }) { throw error }
        try await end(committing: true)
    }

    func abort() async throws(KafkaError) {
        try machine.withLock { machine throws(KafkaError) in try machine.beginAbort() }
        accumulator.refuse(Self.noTransaction)
        let dropped = KafkaError(.operationNotAttempted, "the transaction was aborted before the record was sent")
        if accumulator.failWaiting(dropped) { machine.withLock { $0.lostCount() } }
        // What is in flight comes to its end: nothing of it may arrive in a later transaction.
        await accumulator.flush()
        try await end(committing: false)
    }

    /// Ends the transaction, of which nothing is in flight any more.
    private func end(committing: Bool) async throws(KafkaError) {
        await adding.withLock { $0 }?.value
        let plan = machine.withLock { $0 }
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
            machine.withLock { $0.ended(as: identity) }
        } catch {
            if error.isRetriable {
                machine.withLock { $0.endingFailed() }
                throw error
            }
            throw failed(error, isFatal: !(committing && error.letsTransactionAbort))
        }
    }
}
