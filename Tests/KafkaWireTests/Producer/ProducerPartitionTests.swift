import Concurrency
import Testing

@testable import KafkaWire

@Suite("One partition of a producer")
struct ProducerPartitionTests {
    private let identity = ProducerIdentity(id: 1, epoch: 0)
    private let other = ProducerIdentity(id: 2, epoch: 0)

    private func partition(isSerialized: Bool = true) -> ProducerPartition {
        ProducerPartition(partition: TopicPartition("t"), isSerialized: isSerialized, now: .now)
    }

    /// Queues a batch with this many records.
    @discardableResult
    private func queue(_ partition: ProducerPartition, _ count: Int) -> BatchOutcome {
        let outcome = BatchOutcome(partition: partition.partition)
        partition.append(
            ProducerBatch(
                partition: partition.partition, recordCount: count, outcome: outcome, created: .now, reserved: 0))
        return outcome
    }

    /// Takes the next batch for a request, and returns its sequence number; nil if it has none, or no batch can be sent.
    @discardableResult
    private func take(_ partition: ProducerPartition, as identity: ProducerIdentity?) -> Int32? {
        partition.takeNext(as: identity, room: .max, turn: 1)?.batch.sequence?.value
    }

    private func retry(_ partition: ProducerPartition, _ outcome: BatchOutcome, mayBeWritten: Bool = false) throws {
        var batch = try #require(partition.returned(outcome))
        batch.mayBeWritten = mayBeWritten
        partition.serialize()
        partition.requeue(batch)
    }

    private func giveUp(_ partition: ProducerPartition, _ outcome: BatchOutcome) throws {
        let batch = try #require(partition.returned(outcome))
        partition.gaveUp(batch)
        #expect(partition.remove(outcome) != nil)
    }

    private func acknowledge(_ partition: ProducerPartition, _ outcome: BatchOutcome) {
        partition.succeeded()
        #expect(partition.remove(outcome) != nil)
    }

    // MARK: Sequence numbers

    @Test("sequence numbers advance by the record count, and a batch keeps its number through retries")
    func numbers() throws {
        let partition = partition(isSerialized: false)
        let (first, second) = (queue(partition, 3), queue(partition, 2))
        #expect(take(partition, as: identity) == 0 && take(partition, as: identity) == 3)
        #expect(partition.inFlightCount == 2 && partition.queuedCount == 0)
        try retry(partition, first)
        try retry(partition, second)
        // The producer has another identity meanwhile; the partition keeps its own.
        #expect(take(partition, as: other) == 0 && partition.identity == identity)
        #expect(partition.returned(BatchOutcome(partition: partition.partition)) == nil)
    }

    @Test("a retried batch keeps its place, whichever batch in flight fails first")
    func order() throws {
        let partition = partition(isSerialized: false)
        let outcomes = [queue(partition, 1), queue(partition, 1), queue(partition, 1)]
        for _ in outcomes { take(partition, as: identity) }
        for outcome in [outcomes[1], outcomes[2], outcomes[0]] { try retry(partition, outcome) }
        for (number, outcome) in outcomes.enumerated() {
            #expect(take(partition, as: identity) == Int32(number))
            acknowledge(partition, outcome)
        }
        #expect(partition.entries.isEmpty && partition.inFlightCount == 0 && partition.queuedCount == 0)
    }

    @Test("without idempotence there are no sequence numbers and no gaps")
    func unnumbered() throws {
        let partition = partition(isSerialized: false)
        let first = queue(partition, 3)
        #expect(take(partition, as: nil) == nil && partition.inFlightCount == 1)
        try giveUp(partition, first)
        #expect(!partition.hasGap && partition.inFlightCount == 0)
    }

    @Test("one batch is in flight until the first is acknowledged, and again after a retry")
    func serialized() throws {
        let partition = partition()
        let (first, second) = (queue(partition, 1), queue(partition, 1))
        queue(partition, 1)
        #expect(take(partition, as: identity) == 0)
        #expect(partition.mustWait && take(partition, as: identity) == nil)
        acknowledge(partition, first)
        #expect(take(partition, as: identity) == 1)
        #expect(!partition.mustWait && take(partition, as: identity) == 2)
        try retry(partition, second)
        #expect(partition.mustWait && partition.isSerialized)
    }

    @Test("a batch that exceeds the request's room waits, and a smaller one behind it does not overtake it")
    func room() {
        let partition = partition(isSerialized: false)
        partition.append(
            ProducerBatch(
                partition: partition.partition, recordCount: 1, outcome: BatchOutcome(partition: partition.partition),
                created: .now, reserved: 100))
        queue(partition, 1)
        #expect(partition.takeNext(as: nil, room: 99, turn: 1) == nil)
        #expect(partition.takeNext(as: nil, room: 100, turn: 7)?.batch.reserved == 100)
        #expect(partition.lastTurn == 7)
    }

    // MARK: Gaps

    @Test("after a batch was abandoned nothing is sent until all others have returned, and then the numbers start over")
    func gap() throws {
        let partition = partition(isSerialized: false)
        let (first, second) = (queue(partition, 3), queue(partition, 2))
        queue(partition, 1)
        take(partition, as: identity)
        take(partition, as: identity)
        try giveUp(partition, first)
        #expect(partition.hasGap && partition.mustWait && partition.startOverBehindGap() == nil)
        try retry(partition, second)
        #expect(!partition.mustWait)
        // Behind the gap, a batch that was certainly not written is not sent with its old number.
        #expect(take(partition, as: other) == nil)
        #expect(partition.startOverBehindGap() == .some(identity))
        #expect(partition.identity == nil && !partition.hasGap && partition.isSerialized)
        #expect(take(partition, as: other) == 0 && partition.identity == other)
    }

    @Test("a batch that may have been written keeps its number behind a gap, and the numbers don't start over before")
    func unknownOutcome() throws {
        let partition = partition(isSerialized: false)
        let (first, second) = (queue(partition, 3), queue(partition, 2))
        take(partition, as: identity)
        take(partition, as: identity)
        try giveUp(partition, first)
        try retry(partition, second, mayBeWritten: true)
        #expect(partition.startOverBehindGap() == nil)
        #expect(take(partition, as: other) == 3 && partition.identity == identity)
        try giveUp(partition, second)
        #expect(partition.startOverBehindGap() == .some(identity))
    }

    @Test("a batch follows those with lower numbers that have neither succeeded nor failed")
    func unsettled() throws {
        let partition = partition(isSerialized: false)
        let (first, second) = (queue(partition, 1), queue(partition, 1))
        take(partition, as: identity)
        take(partition, as: identity)
        let batch = try #require(partition.returned(second))
        #expect(partition.hasUnsettled(before: batch))
        acknowledge(partition, first)
        #expect(!partition.hasUnsettled(before: batch))
    }

    @Test("with a later epoch of the same producer several batches may be in flight; with another producer id one")
    func adopting() {
        let partition = partition()
        partition.adopt(identity)
        let first = queue(partition, 3)
        take(partition, as: identity)
        acknowledge(partition, first)
        partition.adopt(identity)
        #expect(partition.nextSequence.value == 3)
        partition.adopt(ProducerIdentity(id: 1, epoch: 1))
        #expect(partition.nextSequence == .first && !partition.isSerialized)
        partition.adopt(other)
        #expect(partition.isSerialized)
    }

    // MARK: Outcomes

    @Test("the parts of a split batch take its place and its sequence numbers")
    func parts() throws {
        let partition = partition(isSerialized: false)
        let whole = queue(partition, 2)
        queue(partition, 1)
        take(partition, as: identity)
        let batch = try #require(partition.returned(whole))
        func part(_ start: Int) -> ProducerBatch {
            ProducerBatch(
                partition: partition.partition, recordCount: 1, outcome: BatchOutcome(partition: partition.partition),
                created: .now, reserved: 0, sequence: batch.sequence?.advanced(by: start))
        }
        #expect(partition.replace(whole, by: part(0), part(1)))
        #expect(!partition.replace(whole, by: part(0), part(1)))
        for number in Int32(0)..<3 { #expect(take(partition, as: identity) == number) }
    }

    @Test("the deliveries of a batch in flight expire once, and it stays in flight")
    func expired() {
        let partition = partition(isSerialized: false)
        let outcome = queue(partition, 1)
        take(partition, as: identity)
        #expect(partition.expire(outcome) != nil && partition.expire(outcome) == nil)
        #expect(partition.inFlightCount == 1)
        #expect(partition.remove(outcome)?.hasExpired == true)
    }

    @Test("queued batches are taken up to the first that doesn't match, and those in flight stay")
    func takeQueued() {
        let partition = partition(isSerialized: false)
        for count in 1...4 { queue(partition, count) }
        take(partition, as: identity)
        #expect(partition.takeQueued { $0.recordCount < 3 }.map(\.recordCount) == [2])
        #expect(partition.takeQueued().map(\.recordCount) == [3, 4])
        #expect(partition.inFlightCount == 1 && partition.queuedCount == 0)
        #expect(partition.removeAll().count == 4 && partition.inFlightCount == 0)
    }

    @Test("the backoff grows with each failure until a batch succeeds")
    func backOff() {
        let partition = partition()
        let (now, backoff) = (ContinuousClock.now, Backoff(initial: .seconds(1), maximum: .seconds(8)))
        var pauses: [Duration] = []
        for _ in 0..<3 {
            partition.backOff(backoff, from: now, random: 0.5)
            pauses.append((partition.notBefore ?? now) - now)
        }
        #expect(pauses[0] < pauses[1] && pauses[1] < pauses[2])
        partition.succeeded()
        #expect(partition.failures == 0)
    }
}
