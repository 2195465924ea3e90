/// The rules of a transactional producer, without a connection: which call is allowed when, what is in the transaction,
/// and what has to be done to end it (KIP-98, KIP-360, KIP-890).
///
/// ```
/// uninitialized ─▶ initializing ─▶ ready ─▶ inTransaction ─▶ committing ─▶ ready
///                                             │      │           │
///                                             │      ▼           ▼
///                                             │   abortableError ─▶ aborting ─▶ ready
///                                             └─────────────────▶ aborting
/// ```
///
/// From each of them a fatal error leads to `fatalError`, which nothing leads out of.
struct TransactionStateMachine {
    enum State: Equatable {
        case uninitialized
        case initializing
        /// No transaction is under way.
        case ready
        case inTransaction
        case committing
        case aborting
        /// The transaction can't be committed any more.
        case abortableError(KafkaError)
        /// The producer can't be used any more.
        case fatalError(KafkaError)
    }

    /// Whether the coordinator knows of the transaction.
    enum Start: Equatable {
        case no
        /// A request that starts it came to an unknown end.
        case maybe
        case yes
    }

    private(set) var state = State.uninitialized
    /// The number of the current transaction, or of the last one; 0 before the first.
    private(set) var number: UInt64 = 0
    private(set) var identity: ProducerIdentity?
    /// Whether the cluster's transactions are of version 2: brokers put partitions and groups into them by themselves,
    /// and each end gives another epoch (KIP-890).
    private(set) var isVersion2 = false
    private(set) var start = Start.no
    /// Whether the next transaction needs another epoch, since something of this one may still be on its way (KIP-360).
    /// Only with version 1, where the end doesn't bring one by itself.
    private(set) var needsEpoch = false
    /// What is in the transaction, as far as the producer has to know: with version 1.
    private var partitions: Set<TopicPartition> = []
    private var groups: Set<String> = []
    private var isAddingPartitions = false
    /// Calls to send offsets that haven't returned.
    private var offsetsUnderWay = 0
    /// Whether a call that ends the transaction is under way; it may be tried again where it fails for want of time.
    private var isEnding = false

    /// The error for a call that the current state does not allow.
    private func refuse(_ call: String) -> KafkaError {
        switch state {
        case .fatalError(let error), .abortableError(let error): error
        case .uninitialized: Self.misuse("\(call) was called before initTransactions()")
        case .initializing: Self.misuse("\(call) was called before initTransactions() had returned")
        case .ready: Self.misuse("\(call) was called while no transaction is under way: call beginTransaction()")
        case .inTransaction: Self.misuse("\(call) was called in a transaction, which has to be committed or aborted")
        case .committing where !isEnding:
            Self.misuse(
                "\(call) was called though it isn't known whether the transaction was committed: "
                    + "call commitTransaction() again")
        case .committing: Self.misuse("\(call) was called while the transaction is committed")
        case .aborting where !isEnding:
            Self.misuse(
                "\(call) was called though there wasn't time to abort the transaction: call abortTransaction() again")
        case .aborting: Self.misuse("\(call) was called while the transaction is aborted")
        }
    }

    private static func misuse(_ message: String) -> KafkaError { KafkaError(.invalidTxnState, message) }

    /// Why the producer can't be used for a transaction; nil where it can.
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

    /// - Parameter identity: Nil where the attempt failed in a way that lets another succeed.
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

    // MARK: Within

    /// Whether batches are sent, and sent again where they fail for a passing reason.
    var isSending: Bool { state == .inTransaction || state == .committing }

    /// Sorts the partitions that have something to send: those that may, and those to be put into the transaction
    /// before. The latter are nobody else's to add until `added` is told.
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

    /// The coordinator has put partitions into the transaction.
    mutating func added(_ added: [TopicPartition]) {
        isAddingPartitions = false
        partitions.formUnion(added)
        start = .yes
    }

    /// - Parameter isCertain: Whether the coordinator refused, rather than left it open.
    mutating func addingFailed(isCertain: Bool) {
        isAddingPartitions = false
        if !isCertain, start == .no { start = .maybe }
    }

    /// - Parameter number: The transaction that the offsets have to be part of; nil for the current one.
    /// - Returns: Whether the group has to be put into the transaction before.
    mutating func beginOffsets(of group: String, in number: UInt64? = nil) throws(KafkaError) -> Bool {
        guard state == .inTransaction else { throw refuse("sendOffsets()") }
        guard number ?? self.number == self.number else { throw TransactionManager.transactionEnded }
        offsetsUnderWay += 1
        if isVersion2 { start = .yes }
        return !isVersion2 && !groups.contains(group)
    }

    mutating func added(group: String) {
        groups.insert(group)
        start = .yes
    }

    mutating func endOffsets() { offsetsUnderWay -= 1 }

    /// A numbered batch of the transaction was given up or dropped: its number must not be used again.
    mutating func lostCount() { needsEpoch = true }

    // MARK: Ending

    mutating func beginCommit() throws(KafkaError) {
        guard state == .inTransaction || state == .committing, !isEnding else { throw refuse("commitTransaction()") }
        guard offsetsUnderWay == 0 else {
            throw Self.misuse("commitTransaction() was called before sendOffsets() had returned")
        }
        state = .committing
        isEnding = true
    }

    /// Whether the last abort ran out of time, and has to be called for again.
    var hasUnfinishedAbort: Bool { state == .aborting && !isEnding }

    /// Whether a transaction is under way that may be aborted, and that nobody has begun to end.
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

    /// The end couldn't be brought about in time; the same call may be made again.
    mutating func endingFailed() { isEnding = false }

    /// The coordinator has ended the transaction.
    ///
    /// - Parameter identity: To go on with; nil to keep the one that there is.
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

    /// Something of the transaction failed for good.
    ///
    /// - Returns: Whether this is what ends it: what waits is to be dropped then.
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
            // An abort meets these errors on its way, and ends them.
            return false
        }
    }
}
