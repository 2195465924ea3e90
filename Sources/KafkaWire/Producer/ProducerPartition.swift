import Concurrency

/// One partition of a producer: its batches from the open one to those in flight, their numbers, and when they may be sent.
///
/// The rules only, without network and clock. The accumulator owns it, and its lock guards it.
///
/// **Batches** stay in one list, in the order of their records, from when they are complete until they succeed or fail. A
/// batch that is retried keeps its place.
///
/// **One batch in flight.** A leader that doesn't know the producer accepts any number as the first (KIP-360): the second
/// batch would be written if only the first was refused. So a partition is serialized (one batch in flight) until its first
/// batch is acknowledged; and again after a failure that is retried, until a batch succeeds.
///
/// **When numbers start over.** A batch that is given up leaves a gap in the numbers, and no broker accepts the batches
/// behind it, so the partition must continue under another identity. Under that one no broker knows the earlier batches: a
/// batch that may have been written already would be written twice. So a batch gets another number only if every attempt to
/// send it was answered with a refusal. If the outcome of an attempt is unknown (a lost connection, a time-out), the batch
/// keeps its number and is retried, one such batch at a time, until a broker says that it is a duplicate or that it is out
/// of order. The latter is no promise for an earlier attempt that may still wait in the broker, so the batch then fails:
/// it isn't known whether it was written.
final class ProducerPartition {
    enum Phase {
        /// Waits to be sent.
        case queued
        /// In a request that has no response yet.
        case inFlight
        /// The sender decides what becomes of it.
        case returned
    }

    struct Entry {
        var batch: ProducerBatch
        var phase = Phase.queued
        /// Whether its deliveries have failed already, at `delivery.timeout.ms`, though a response is still due.
        var hasExpired = false
    }

    let partition: TopicPartition

    // MARK: Batches

    /// The open batch; nil if there is none.
    private(set) var builder: RecordBatchBuilder?
    /// Of the open batch.
    private(set) var outcome: BatchOutcome
    /// When the open batch was begun.
    private(set) var created: ContinuousClock.Instant
    /// The complete batches that have neither succeeded nor failed.
    private(set) var entries: [Entry] = []
    private(set) var queuedCount = 0
    private(set) var inFlightCount = 0
    /// How large the next batch is likely to become, in bytes: as the last one.
    private var expectedBytes = 4096

    // MARK: Numbers

    /// The identity under which its batches are numbered; nil before the first one.
    private(set) var identity: ProducerIdentity?
    private(set) var nextSequence = SequenceNumber.first
    /// Whether a numbered batch was given up: see above.
    private(set) var hasGap = false
    /// Whether one batch at a time may be in flight.
    private(set) var isSerialized: Bool

    // MARK: Leader and retries

    /// Whether a broker leads the partition, as far as is known.
    var hasLeader = true
    /// Whether its leader must be looked up before anything is sent.
    var needsLookup = false
    /// Whether a lookup of its leader is under way.
    var isInLookup = false
    /// When it may be sent to again after a failure.
    private(set) var notBefore: ContinuousClock.Instant?
    /// The number of failures since a batch succeeded.
    private(set) var failures = 0
    /// The position of its last batch among all that the producer has sent.
    private(set) var lastTurn = 0

    init(partition: TopicPartition, isSerialized: Bool, now: ContinuousClock.Instant) {
        self.partition = partition
        self.isSerialized = isSerialized
        outcome = BatchOutcome(partition: partition)
        created = now
    }

    // MARK: Filling

    /// Opens a batch with room for at least one record.
    ///
    /// - Parameters:
    ///   - bound: The record's size in bytes.
    ///   - limit: The largest size of the batch, and the memory that is left, in bytes; only a single record exceeds it.
    func open(now: ContinuousClock.Instant, bound: Int, limit: Int, pool: BufferPool) {
        let expected = max(min(expectedBytes, limit), RecordBatchHeader.byteCount + bound)
        builder = RecordBatchBuilder(reserving: expected, pool: pool)
        outcome = BatchOutcome(partition: partition)
        created = now
    }

    var hasOpen: Bool { builder != nil }

    /// The memory of the open batch in bytes; 0 if there is none.
    var openCapacity: Int { builder?.capacity ?? 0 }

    /// The number of bytes by which the memory grows with a record of up to `bound` bytes.
    func growth(for bound: Int) -> Int { builder?.growth(for: bound) ?? RecordBatchHeader.byteCount + bound }

    /// Appends a record to the open batch.
    ///
    /// - Returns: The record's index in the batch, and the number of bytes by which the batch's memory has grown.
    /// - Precondition: There is an open batch.
    func append(
        key: RawSpan?, value: RawSpan?, headers: [RecordHeader], timestamp: Int64
    ) throws(KafkaError) -> (index: Int, growth: Int) {
        try builder!.append(key: key, value: value, headers: headers, timestamp: timestamp)
    }

    /// Whether the open batch has no room for a record of up to `bound` bytes; nil if there is no open batch.
    func isFull(for bound: Int, limit: Int) -> Bool? { builder.map { $0.byteCount + bound > limit } }

    /// Completes the open batch if there is no room for a record of up to `bound` bytes.
    ///
    /// - Returns: Whether a batch was completed.
    func completeIfFull(for bound: Int, limit: Int) -> Bool {
        guard isFull(for: bound, limit: limit) == true else { return false }
        completeOpen()
        return true
    }

    /// Completes the open batch, if there is one.
    func completeOpen() {
        guard let builder else { return }
        let batch = ProducerBatch(
            partition: partition, builder: builder, recordCount: builder.recordCount, outcome: outcome,
            created: created, reserved: builder.capacity)
        expectedBytes = builder.byteCount
        self.builder = nil
        append(batch)
    }

    func append(_ batch: ProducerBatch) {
        entries.append(Entry(batch: batch))
        queuedCount += 1
    }

    // MARK: Sending

    /// The first batch that waits to be sent.
    var firstQueued: ProducerBatch? { entries.first { $0.phase == .queued }?.batch }

    /// Whether a batch must wait for those in flight.
    var mustWait: Bool { (isSerialized || hasGap) && inFlightCount > 0 }

    /// Whether a lookup keeps its batches waiting.
    var awaitsLookup: Bool { needsLookup || isInLookup }

    /// Takes the next batch for a request, and numbers it if it has no number yet.
    ///
    /// - Parameters:
    ///   - current: The identity for a partition that has none; nil without idempotence.
    ///   - room: The number of bytes left in the request; a larger batch stays.
    ///   - turn: The batch's position among all that the producer has sent.
    func takeNext(as current: ProducerIdentity?, room: Int, turn: Int) -> OutgoingBatch? {
        // Behind a gap only batches whose outcome is unknown are sent, under the numbers that they have.
        guard !mustWait,
            let index = entries.firstIndex(where: { $0.phase == .queued && ($0.batch.mayBeWritten || !hasGap) }),
            entries[index].batch.byteCount <= room
        else { return nil }
        if entries[index].batch.sequence == nil, let current = identity ?? current {
            identity = current
            entries[index].batch.sequence = nextSequence
            nextSequence = nextSequence.advanced(by: entries[index].batch.recordCount)
        }
        setPhase(.inFlight, at: index)
        lastTurn = turn
        let outgoing = OutgoingBatch(batch: entries[index].batch, identity: identity)
        // The request has the bytes alone until `keep`, so that they are stamped in place.
        entries[index].batch.builder = nil
        entries[index].batch.encoded = nil
        return outgoing
    }

    /// Keeps the closed form of a batch in flight, for a retry.
    func keep(_ encoded: EncodedRecordBatch, of outcome: BatchOutcome) {
        guard let index = index(of: outcome) else { return }
        entries[index].batch.encoded = encoded
    }

    // MARK: Outcomes

    /// A batch is no longer in flight.
    ///
    /// - Returns: nil if it is not among the partition's batches any more.
    func returned(_ outcome: BatchOutcome) -> ProducerBatch? {
        guard let index = index(of: outcome) else { return nil }
        setPhase(.returned, at: index)
        return entries[index].batch
    }

    /// A batch was acknowledged.
    func succeeded() {
        isSerialized = false
        failures = 0
    }

    /// A batch that the sender had waits to be sent again.
    func requeue(_ batch: ProducerBatch) {
        guard let index = index(of: batch.outcome) else { return }
        entries[index].batch.mayBeWritten = batch.mayBeWritten
        setPhase(.queued, at: index)
    }

    /// Sends nothing until then.
    func backOff(_ backoff: Backoff, from now: ContinuousClock.Instant, random: Double) {
        failures += 1
        notBefore = now + backoff.delay(afterFailures: failures, random: random)
    }

    /// Allows one batch in flight until one is acknowledged.
    func serialize() {
        isSerialized = true
    }

    /// A batch is given up.
    func gaveUp(_ batch: ProducerBatch) {
        if batch.sequence != nil { hasGap = true }
    }

    /// The leader does not know the numbers before this one.
    func leaderLostSequence() {
        hasGap = true
    }

    /// Removes a batch that has succeeded or failed.
    func remove(_ outcome: BatchOutcome) -> Entry? {
        guard let index = index(of: outcome) else { return nil }
        setPhase(.returned, at: index)
        return entries.remove(at: index)
    }

    /// Marks a batch in flight whose deliveries fail before its response comes.
    ///
    /// - Returns: The batch; nil if that was done before.
    func expire(_ outcome: BatchOutcome) -> ProducerBatch? {
        guard let index = index(of: outcome), !entries[index].hasExpired else { return nil }
        entries[index].hasExpired = true
        return entries[index].batch
    }

    /// Replaces a batch by its two parts.
    func replace(_ outcome: BatchOutcome, by first: ProducerBatch, _ second: ProducerBatch) -> Bool {
        guard let index = index(of: outcome) else { return false }
        setPhase(.returned, at: index)
        entries.replaceSubrange(index...index, with: [Entry(batch: first), Entry(batch: second)])
        queuedCount += 2
        return true
    }

    /// Takes the batches that wait to be sent, up to the first one for which `condition` is false. The caller must end them.
    func takeQueued(while condition: (ProducerBatch) -> Bool = { _ in true }) -> [ProducerBatch] {
        var taken: [ProducerBatch] = []
        for index in entries.indices where entries[index].phase == .queued {
            guard condition(entries[index].batch) else { break }
            setPhase(.returned, at: index)
            taken.append(entries[index].batch)
        }
        return taken
    }

    /// Removes all batches, those in flight among them.
    func removeAll() -> [Entry] {
        completeOpen()
        defer { (entries, queuedCount, inFlightCount) = ([], 0, 0) }
        return entries
    }

    private func index(of outcome: BatchOutcome) -> Int? {
        entries.firstIndex { $0.batch.outcome === outcome }
    }

    private func setPhase(_ phase: Phase, at index: Int) {
        switch entries[index].phase {
        case .queued: queuedCount -= 1
        case .inFlight: inFlightCount -= 1
        case .returned: break
        }
        switch phase {
        case .queued: queuedCount += 1
        case .inFlight: inFlightCount += 1
        case .returned: break
        }
        entries[index].phase = phase
    }

    // MARK: Starting over

    /// Whether a batch with a lower number is in flight, or waits to be sent again.
    func hasUnsettled(before batch: ProducerBatch) -> Bool {
        guard let sequence = batch.sequence else { return false }
        return entries.contains { entry in
            entry.phase != .returned && entry.batch.sequence?.precedes(sequence) == true
        }
    }

    /// Starts over at number 0, if a gap requires that and nothing may have been written that would be numbered again.
    /// The next batch is numbered under the identity that is current then.
    ///
    /// - Returns: The identity that is not to be used again; nil if the numbers don't start over.
    func startOverBehindGap() -> ProducerIdentity?? {
        guard hasGap, inFlightCount == 0,
            !entries.contains(where: { $0.phase == .queued && $0.batch.mayBeWritten })
        else { return nil }
        for index in entries.indices { entries[index].batch.sequence = nil }
        let abandoned = identity
        identity = nil
        nextSequence = .first
        hasGap = false
        isSerialized = true
        return .some(abandoned)
    }

    /// Starts over at number 0 under another identity, as a transaction does once nothing of the last one is left.
    ///
    /// A leader that knows a producer's id expects number 0 under a later epoch, so that several batches can be in flight
    /// at once. A leader that doesn't know it accepts any number as the first.
    func adopt(_ identity: ProducerIdentity) {
        guard identity != self.identity else { return }
        if identity.id != self.identity?.id { isSerialized = true }
        self.identity = identity
        nextSequence = .first
        hasGap = false
    }
}
