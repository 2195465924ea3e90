/// What a producer's sender knows of one partition: how its batches are numbered, what of it is in flight, and when it
/// may be tried again.
///
/// **When numbers start over.** A batch that is given up leaves a gap in the numbers, which no broker passes over, so
/// the partition has to go on under another identity. Under that, no broker knows what was sent under the one before:
/// a batch that may have been written already would be written twice. So a batch gets another number only where every
/// attempt to send it was answered with a refusal. One whose outcome is open (a connection that ended, a time-out)
/// keeps its number and is sent again under it, one such batch at a time, until a broker says either that it is there,
/// or that it comes out of order, since what stands before it isn't there. The latter isn't a promise for an earlier
/// attempt that may still wait in the broker, so the batch then fails: whether it was written isn't known.
struct PartitionState {
    /// Under which its batches are numbered; nil before the first one.
    private(set) var identity: ProducerIdentity?
    private(set) var nextSequence = SequenceNumber.first
    /// The numbers of the batches that are in flight; nil for those without.
    private(set) var inFlight: [SequenceNumber?] = []
    /// A numbered batch was given up: see above.
    private(set) var hasGap = false
    /// Nothing goes out until all that is in flight has come back, and then one batch at a time.
    var goesSingly: Bool
    /// When it may be tried again after a failure.
    var notBefore: ContinuousClock.Instant?
    var failures = 0
    /// The number of its last batch among all that the sender has sent.
    var lastTurn = 0

    init(goesSingly: Bool) {
        self.goesSingly = goesSingly
    }

    /// Whether the numbers can start over: nothing is in flight, and the caller has seen that no batch that waits may
    /// have been written.
    var canStartOver: Bool { hasGap && inFlight.isEmpty }

    /// Whether a batch has to wait for what is in flight.
    var mustWait: Bool { (goesSingly || hasGap) && !inFlight.isEmpty }

    /// A batch goes out: it gets its number, if it has none yet.
    ///
    /// - Parameter current: The identity for a partition that has none; nil without idempotence.
    mutating func send(_ batch: inout ProducerBatch, as current: ProducerIdentity?) {
        if batch.sequence == nil, let current = identity ?? current {
            identity = current
            batch.sequence = nextSequence
            nextSequence = nextSequence.advanced(by: batch.recordCount)
        }
        inFlight.append(batch.sequence)
    }

    /// A batch came back, with whatever outcome. False where it wasn't in flight.
    @discardableResult
    mutating func cameBack(_ batch: ProducerBatch) -> Bool {
        guard let index = inFlight.firstIndex(of: batch.sequence) else { return false }
        inFlight.remove(at: index)
        return true
    }

    mutating func wasWritten() {
        goesSingly = false
        failures = 0
    }

    /// A batch won't be sent any more.
    mutating func gaveUp(_ batch: ProducerBatch) {
        if batch.sequence != nil { hasGap = true }
    }

    /// The leader doesn't know of the numbers before this one.
    mutating func leaderLostCount() {
        hasGap = true
    }

    /// Begins again at number 0, under whichever identity is current when the next batch goes out.
    mutating func startOver() {
        identity = nil
        nextSequence = .first
        hasGap = false
        goesSingly = true
    }

    /// Begins again at number 0 under another identity, as a transaction does it with nothing of the one before left.
    ///
    /// A leader that knows a producer's id asks for number 0 under a later epoch, so that several batches can be in
    /// flight at once; one that doesn't takes any number for the first.
    mutating func adopt(_ identity: ProducerIdentity) {
        guard identity != self.identity else { return }
        if identity.id != self.identity?.id { goesSingly = true }
        self.identity = identity
        nextSequence = .first
        hasGap = false
    }
}
