/// The rules of a transactional producer, without a connection: which calls are allowed, which partitions and groups are in
/// the transaction, and how it is ended (KIP-98, KIP-360, KIP-890).
///
/// ```
/// uninitialized ─▶ initializing ─▶ ready ─▶ inTransaction ─▶ committing ─▶ ready
///                                             │      │           │
///                                             │      ▼           ▼
///                                             │   abortableError ─▶ aborting ─▶ ready
///                                             └─────────────────▶ aborting
/// ```
///
/// A fatal error leads from each state to `fatalError`, which is final.
struct TransactionStateMachine {
    enum State: Equatable {
        case uninitialized
        case initializing
        /// No transaction is in progress.
        case ready
        case inTransaction
        case committing
        case aborting
        /// The transaction can't be committed any more.
        case abortableError(KafkaError)
        /// The producer can't be used any more.
        case fatalError(KafkaError)
    }

    /// Whether the transaction has started at the coordinator.
    enum Start: Equatable {
        case no
        /// The outcome of a request that starts it is unknown.
        case maybe
        case yes
    }

    private(set) var state = State.uninitialized
    /// The number of the current transaction, or of the last one; 0 before the first.
    private(set) var number: UInt64 = 0
    private(set) var identity: ProducerIdentity?
    /// Whether the cluster's transactions are of version 2: brokers add partitions and groups by themselves, and each end
    /// brings another epoch (KIP-890).
    private(set) var isVersion2 = false
    private(set) var start = Start.no
    /// Whether the next transaction needs another epoch, since batches of this one may still arrive (KIP-360). Only with
    /// version 1: with version 2 the end brings one.
    private(set) var needsEpoch = false
    /// The partitions that were added to the transaction. Only with version 1.
    private var partitions: Set<TopicPartition> = []
    private var groups: Set<String> = []
    private var isAddingPartitions = false
    /// The number of calls of `sendOffsets` that have not returned.
    private var offsetCalls = 0
    /// Whether a call that ends the transaction is in progress. It may be repeated if it times out.
    private var isEnding = false

    /// The error for a call that the current state does not allow.
    private func refuse(_ call: String) -> KafkaError {
        switch state {
        case .fatalError(let error), .abortableError(let error): error
        case .uninitialized: Self.misuse("\(call) was called before initTransactions()")
        case .initializing: Self.misuse("\(call) was called before initTransactions() had returned")
        case .ready: Self.misuse("\(call) was called while no transaction is in progress: call beginTransaction()")
        case .inTransaction:
            Self.misuse("\(call) was called in a transaction, which must be committed or aborted first")
        case .committing where !isEnding:
            Self.misuse(
                "\(call) was called although it isn't known whether the transaction was committed: "
                    + "call commitTransaction() again")
        case .committing: Self.misuse("\(call) was called while the transaction is being committed")
        case .aborting where !isEnding:
            Self.misuse(
                "\(call) was called although the abort of the transaction timed out: call abortTransaction() again")
        case .aborting: Self.misuse("\(call) was called while the transaction is being aborted")
        }
    }

    private static func misuse(_ message: String) -> KafkaError { KafkaError(.invalidTxnState, message) }

    /// The error that keeps the transaction, or the producer, from continuing; nil if there is none.
    var error: KafkaError? {
        switch state {
        case .fatalError(let error), .abortableError(let error): error
        default: nil
        }
    }

    // MARK: Beginning

    mutating func beginInitializing() throws(KafkaError) {
        guard state == .uninitialized else { throw refuse("initTransactions()") }
        state = .initializing
    }

    /// - Parameter identity: nil if the attempt failed and may be repeated.
    mutating func initialized(as identity: ProducerIdentity?) {
        guard state == .initializing else { return }
        self.identity = identity ?? self.identity
        state = identity == nil ? .uninitialized : .ready
    }

    mutating func begin(isVersion2: Bool) throws(KafkaError) {
        guard state == .ready else { throw refuse("beginTransaction()") }
        self.isVersion2 = isVersion2
        number += 1
        state = .inTransaction
    }

    // MARK: Records and offsets

    /// Whether batches are sent and retried.
    var isSending: Bool { state == .inTransaction || state == .committing }

    /// Divides the partitions that have batches to send into those that are in the transaction, and those that the caller
    /// must add first. No others are to be added until the caller reports `added` or `addingFailed`.
    mutating func admit(_ wanted: [TopicPartition]) -> (admitted: [TopicPartition], toAdd: [TopicPartition]) {
        guard isSending, !wanted.isEmpty else { return ([], []) }
        if isVersion2 {
            start = .yes
            return (wanted, [])
        }
        let admitted = wanted.filter { partitions.contains($0) }
        guard !isAddingPartitions, admitted.count < wanted.count else { return (admitted, []) }
        isAddingPartitions = true
        return (admitted, wanted.filter { !partitions.contains($0) })
    }

    /// The coordinator has added partitions to the transaction.
    mutating func added(_ added: [TopicPartition]) {
        isAddingPartitions = false
        partitions.formUnion(added)
        start = .yes
    }

    /// - Parameter isCertain: Whether the coordinator refused; false if the outcome is unknown.
    mutating func addingFailed(isCertain: Bool) {
        isAddingPartitions = false
        if !isCertain, start == .no { start = .maybe }
    }

    /// - Parameter number: The transaction that the offsets must be part of; nil for the current one.
    /// - Returns: Whether the group must be added to the transaction first.
    mutating func beginOffsets(of group: String, in number: UInt64? = nil) throws(KafkaError) -> Bool {
        guard state == .inTransaction else { throw refuse("sendOffsets()") }
        guard number ?? self.number == self.number else { throw TransactionManager.transactionEnded }
        offsetCalls += 1
        if isVersion2 { start = .yes }
        return !isVersion2 && !groups.contains(group)
    }

    mutating func added(group: String) {
        groups.insert(group)
        start = .yes
    }

    mutating func endOffsets() { offsetCalls -= 1 }

    /// A numbered batch of the transaction was given up or dropped: its number must not be used again.
    mutating func numberedBatchLost() { needsEpoch = true }

    // MARK: Ending

    mutating func beginCommit() throws(KafkaError) {
        guard state == .inTransaction || state == .committing, !isEnding else { throw refuse("commitTransaction()") }
        guard offsetCalls == 0 else {
            throw Self.misuse("commitTransaction() was called before sendOffsets() had returned")
        }
        state = .committing
        isEnding = true
    }

    /// Whether the last abort timed out and must be called again.
    var hasUnfinishedAbort: Bool { state == .aborting && !isEnding }

    /// Whether a transaction may be aborted: one that is in progress and not being ended.
    var canAbort: Bool {
        switch state {
        case .abortableError, .inTransaction: true
        default: hasUnfinishedAbort
        }
    }

    mutating func beginAbort() throws(KafkaError) {
        guard canAbort else { throw refuse("abortTransaction()") }
        state = .aborting
        isEnding = true
    }

    /// The call that ends the transaction timed out, and may be repeated.
    mutating func endingFailed() { isEnding = false }

    /// The coordinator has ended the transaction.
    ///
    /// - Parameter identity: The identity to continue with; nil to keep the current one.
    mutating func ended(as identity: ProducerIdentity?) {
        guard state == .committing || state == .aborting else { return }
        self.identity = identity ?? self.identity
        state = .ready
        isEnding = false
        start = .no
        needsEpoch = false
        partitions = []
        groups = []
    }

    // MARK: Errors

    /// A part of the transaction failed permanently.
    ///
    /// - Returns: Whether this error ends the transaction, so that the caller must drop the waiting batches.
    mutating func failed(_ error: KafkaError, isFatal: Bool) -> Bool {
        switch state {
        case .fatalError: return false
        case _ where isFatal:
            state = .fatalError(error)
            return true
        case .inTransaction, .committing:
            state = .abortableError(error)
            isEnding = false
            needsEpoch = true
            return true
        case .uninitialized, .initializing, .ready, .aborting, .abortableError:
            // The abort ends the transaction in spite of these errors.
            return false
        }
    }
}
