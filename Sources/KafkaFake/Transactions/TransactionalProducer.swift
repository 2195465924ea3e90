import KafkaWire

/// The coordinator's state of one transactional id: a plain state machine, whose caller writes the markers.
///
/// Markers are written as soon as a transaction is decided, so the intermediate states (PrepareCommit, PrepareAbort) do
/// not exist.
///
/// Source: KIP-98; KIP-360 for epochs that continue; KIP-890 for transactions of version 2.
struct TransactionalProducer {
    enum Phase: Equatable {
        case empty
        case ongoing
        case completeCommit
        case completeAbort
    }

    /// The end of a transaction, to be written to all participants.
    struct Decision {
        let producerID: Int64
        /// The epoch of the markers.
        let producerEpoch: Int16
        let isCommit: Bool
        let partitions: Set<TopicPartition>
        let groups: Set<String>
    }

    struct Identity: Equatable {
        var producerID: Int64
        var epoch: Int16
    }

    private(set) var phase = Phase.empty
    private(set) var identity: Identity
    /// The producer id that was used before its epochs ran out; -1 if none.
    private var previousProducerID: Int64 = -1
    /// The epoch before the current one, which a retried request may carry; -1 if none.
    private var lastEpoch: Int16 = -1
    private(set) var timeout: Duration
    private(set) var partitions: Set<TopicPartition> = []
    private(set) var groups: Set<String> = []
    private var startedAt: ContinuousClock.Instant?
    /// Whether the last transaction was ended by a client whose epoch is bumped by EndTxn.
    private var isVersion2 = false

    /// One below the largest epoch, which is reserved for fencing.
    private static let exhausted = Int16.max - 1

    /// - Parameter producerID: An unused id.
    init(producerID: Int64, timeout: Duration) {
        identity = Identity(producerID: producerID, epoch: -1)
        self.timeout = timeout
    }

    /// When the open transaction times out; nil if none is open.
    var deadline: ContinuousClock.Instant? { phase == .ongoing ? startedAt.map { $0 + timeout } : nil }

    // MARK: InitProducerId

    enum Beginning {
        case ready(Identity)
        /// A transaction was open. It is aborted, and the client retries.
        case aborted(Decision)
        case refused(ErrorCode)
    }

    /// Begins a new session of the producer.
    ///
    /// - Parameters:
    ///   - timeout: The transaction timeout.
    ///   - expected: The identity with which the client continues; nil if it begins.
    ///   - freshID: Returns an unused id; called if the epochs of the current one have run out.
    mutating func begin(timeout: Duration, expected: Identity?, freshID: () -> Int64) -> Beginning {
        if let expected, identity.epoch >= 0, expected.producerID != identity.producerID,
            expected.producerID != previousProducerID || expected.epoch < Self.exhausted
        {
            return .refused(.producerFenced)
        }
        if phase == .ongoing {
            identity.epoch += 1
            return .aborted(decide(isCommit: false, epoch: identity.epoch))
        }
        if let expected, identity.epoch >= 0, expected.epoch != identity.epoch {
            // An answer may have been lost, and the request retried.
            guard expected.epoch == lastEpoch || expected.producerID == previousProducerID else {
                return .refused(.producerFenced)
            }
            return .ready(identity)
        }
        let former = identity.epoch
        if identity.epoch >= Self.exhausted {
            previousProducerID = identity.producerID
            identity = Identity(producerID: freshID(), epoch: 0)
        } else {
            identity.epoch += 1
        }
        lastEpoch = expected == nil ? -1 : former
        self.timeout = timeout
        phase = .empty
        return .ready(identity)
    }

    // MARK: Participants

    /// Checks whether a request with this identity may add to the transaction.
    func check(_ identity: Identity) -> ErrorCode {
        if identity.producerID != self.identity.producerID { return .invalidProducerIdMapping }
        return identity.epoch == self.identity.epoch ? .none : .producerFenced
    }

    mutating func add(partitions added: [TopicPartition] = [], group: String? = nil, at now: ContinuousClock.Instant) {
        if phase != .ongoing {
            phase = .ongoing
            startedAt = now
        }
        partitions.formUnion(added)
        if let group { groups.insert(group) }
    }

    func has(_ partition: TopicPartition) -> Bool { phase == .ongoing && partitions.contains(partition) }

    // MARK: EndTxn

    enum Ending {
        /// The identity to continue with, and the decision to write; nil if it was written before.
        case done(Identity, Decision?)
        case refused(ErrorCode)
    }

    /// Ends the transaction.
    ///
    /// - Parameters:
    ///   - asked: The identity of the request.
    ///   - isCommit: Whether to commit.
    ///   - isVersion2: Whether the client takes its next epoch from the answer.
    ///   - freshID: Returns an unused id; called if the epochs of the current one have run out.
    mutating func end(_ asked: Identity, isCommit: Bool, isVersion2: Bool, freshID: () -> Int64) -> Ending {
        isVersion2 ? endVersion2(asked, isCommit, freshID) : endVersion1(asked, isCommit)
    }

    private mutating func endVersion1(_ asked: Identity, _ isCommit: Bool) -> Ending {
        let error = check(asked)
        guard error == .none else { return .refused(error) }
        switch phase {
        case .ongoing:
            isVersion2 = false
            return .done(identity, decide(isCommit: isCommit, epoch: identity.epoch))
        case .completeCommit: return isCommit ? .done(identity, nil) : .refused(.invalidTxnState)
        case .completeAbort: return isCommit ? .refused(.invalidTxnState) : .done(identity, nil)
        case .empty: return .refused(.invalidTxnState)
        }
    }

    private mutating func endVersion2(_ asked: Identity, _ isCommit: Bool, _ freshID: () -> Int64) -> Ending {
        let isComplete = phase == .completeCommit || phase == .completeAbort
        // The answer that bumped the epoch was lost, and the client retries.
        let hasBumped =
            isComplete && isVersion2 && asked.producerID == identity.producerID && asked.epoch + 1 == identity.epoch
        let hasOverflown =
            isComplete && isVersion2 && asked.producerID == previousProducerID && asked.epoch == Self.exhausted
            && identity.epoch == 0
        if hasBumped || hasOverflown {
            return isCommit == (phase == .completeCommit) ? .done(identity, nil) : .refused(.invalidTxnState)
        }
        let error = check(asked)
        guard error == .none else { return .refused(error) }
        // An empty transaction can be aborted, to bump the epoch.
        guard phase == .ongoing || !isCommit else { return .refused(.invalidTxnState) }
        isVersion2 = true
        lastEpoch = identity.epoch
        let decision = decide(isCommit: isCommit, epoch: identity.epoch + 1)
        if identity.epoch >= Self.exhausted {
            previousProducerID = identity.producerID
            identity = Identity(producerID: freshID(), epoch: 0)
        } else {
            identity.epoch += 1
        }
        return .done(identity, decision)
    }

    /// Aborts the open transaction, which has timed out, and fences its producer.
    mutating func timeOut() -> Decision {
        if identity.epoch < .max { identity.epoch += 1 }
        lastEpoch = -1
        return decide(isCommit: false, epoch: identity.epoch)
    }

    private mutating func decide(isCommit: Bool, epoch: Int16) -> Decision {
        let decision = Decision(
            producerID: identity.producerID, producerEpoch: epoch, isCommit: isCommit, partitions: partitions,
            groups: groups)
        phase = isCommit ? .completeCommit : .completeAbort
        partitions = []
        groups = []
        startedAt = nil
        return decision
    }
}
