import Testing

@testable import KafkaWire

/// The rules of a partition that is read, without a network.
@Suite("The cursor of a partition")
struct PartitionCursorTests {
    private static let id = KafkaUUID(high: 1, low: 1)
    private static let otherID = KafkaUUID(high: 2, low: 2)
    private let partition = TopicPartition("t")

    private func cursor(
        at start: ConsumerStart = ConsumerStart(.offset(10)), leader: Int32? = 1, topicID: KafkaUUID = Self.id
    ) throws -> PartitionCursor {
        var cursors = CursorTable()
        let slot = cursors.place(partition, at: start, maximumBytes: 100)
        var cursor = try #require(cursors[slot])
        cursor.leader = leader
        cursor.topicID = topicID
        return cursor
    }

    private func sought(_ cursor: PartitionCursor, _ start: ConsumerStart) -> PartitionCursor {
        let slot = FetchSlot(index: 0, generation: cursor.slot.generation + 1)
        var other = cursor.placed(at: start, slot: slot, maximumBytes: 100)
        other.begin(at: start)
        return other
    }

    // MARK: Fetching

    @Test("a partition is fetched from its leader, or from the replica until its time is up")
    func replica() throws {
        let clock = ManualClock()
        var cursor = try cursor()
        #expect(cursor.fetch(from: 1, limit: .max)?.position == FetchPosition(offset: 10))
        cursor.replica = (2, clock.now + .seconds(60))
        #expect(cursor.fetch(from: 1, limit: .max) == nil && cursor.fetch(from: 2, limit: .max) != nil)
        clock.advance(by: .seconds(59))
        var hasLeft = cursor.leaveExpiredReplica(at: clock.now)
        #expect(!hasLeft && cursor.source == 2)
        clock.advance(by: .seconds(1))
        hasLeft = cursor.leaveExpiredReplica(at: clock.now)
        #expect(hasLeft && cursor.source == 1)
        hasLeft = cursor.leaveExpiredReplica(at: clock.now)
        #expect(!hasLeft)
    }

    @Test("after a broker's failure, a replica is replaced by the leader, and the leader is looked up")
    func left() throws {
        var cursor = try cursor()
        cursor.replica = (2, .now)
        cursor.leave(2)
        #expect(cursor.source == 1)
        cursor.leave(1)
        #expect(cursor.source == nil && cursor.needsLeader)
    }

    @Test("nothing is fetched while it is paused, has failed, needs validation or has no position")
    func notFetched() throws {
        let cursor = try cursor()
        #expect(cursor.fetch(from: 1, limit: 50)?.maximumBytes == 50)
        let changes: [(inout PartitionCursor) -> Void] = [
            { $0.isPaused = true }, { $0.failure = .pending }, { $0.needsValidation = true }, { $0.position = nil },
        ]
        for change in changes {
            var changed = cursor
            change(&changed)
            #expect(changed.fetch(from: 1, limit: .max) == nil)
        }
    }

    @Test("a response is dropped after a seek, another response, a failure, and for another topic")
    func awaited() throws {
        let cursor = try cursor()
        let requested = RequestedFetch(fetch: try #require(cursor.fetch(from: 1, limit: .max)), slot: cursor.slot)
        #expect(cursor.awaits(requested))
        // The same place: only the slot differs.
        #expect(!sought(cursor, ConsumerStart(.offset(10))).awaits(requested))
        let changes: [(inout PartitionCursor) -> Void] = [
            { $0.fetched(upTo: FetchPosition(offset: 11)) }, { $0.failure = .pending }, { $0.topicID = Self.otherID },
        ]
        for change in changes {
            var changed = cursor
            change(&changed)
            #expect(!changed.awaits(requested))
        }
    }

    @Test("another leader epoch needs validation if the epoch of what was read is known")
    func validation() throws {
        var unread = try cursor()
        unread.follow(2, epoch: 5)
        #expect(!unread.needsValidation && unread.leader == 2 && unread.leaderEpoch == 5)
        var read = try cursor()
        read.fetched(upTo: FetchPosition(offset: 20, lastFetchedEpoch: 5))
        read.follow(2, epoch: 6)
        #expect(read.needsValidation && read.canBeValidated)
        read.needsValidation = false
        read.follow(3, epoch: 6)
        #expect(!read.needsValidation)
    }

    @Test("the limit doubles after each response without a whole batch, and without overflow")
    func limit() throws {
        var cursor = try cursor()
        cursor.raiseLimit(batch: 150)
        #expect(cursor.maximumBytes == 200 && cursor.shortfalls == 1)
        cursor.raiseLimit(batch: 5000)
        #expect(cursor.maximumBytes == 5000)
        for _ in 0..<40 { cursor.raiseLimit(batch: .max) }
        #expect(cursor.maximumBytes == .max)
        cursor.fetched(upTo: FetchPosition(offset: 11))
        #expect(cursor.shortfalls == 0)
    }

    // MARK: Seeks

    @Test("a seek keeps topic, leader and pause, and drops positions, counts and the known end")
    func seek() throws {
        var cursor = try cursor()
        cursor.isPaused = true
        cursor.resets = 3
        cursor.saw(highWatermark: 50, end: 50)
        let other = sought(cursor, ConsumerStart(.latest))
        #expect(other.topicID == Self.id && other.leader == 1 && other.isPaused)
        #expect(other.position == nil && other.delivered == nil && other.needsOffset)
        #expect(other.resets == 0 && other.end == nil && other.highWatermark == nil)
    }

    @Test("a seek ends a failure and has the leader looked up; only a reported recreation ends the topic id")
    func seekAfterFailure() throws {
        let errors: [(PartitionCursor.Failure, KafkaUUID)] = [
            (.pending, Self.id), (.reported(KafkaError(.corruptMessage, "")), Self.id),
            (.reported(KafkaError(.inconsistentTopicId, "")), .zero),
        ]
        for (failure, topicID) in errors {
            var cursor = try cursor()
            cursor.failure = failure
            let other = sought(cursor, ConsumerStart(.offset(7)))
            #expect(!other.hasFailed && other.needsLeader && other.topicID == topicID)
        }
    }

    @Test("a seek with the epoch of what was read needs validation, one without it doesn't")
    func seekWithEpoch() throws {
        #expect(try cursor(at: ConsumerStart(.offset(5), leaderEpoch: 3)).needsValidation)
        #expect(try !cursor(at: ConsumerStart(.offset(5))).needsValidation)
    }

    // MARK: Topic ids

    @Test("metadata with another topic id replace an offset from a broker, and keep one from the application")
    func otherTopic() throws {
        var named = try cursor(at: ConsumerStart(.earliest))
        named.position = FetchPosition(offset: 3)
        named.identify(as: Self.otherID)
        #expect(named.topicID == Self.otherID && named.position == nil)
        var given = try cursor()
        given.identify(as: Self.otherID)
        #expect(given.topicID == Self.otherID && given.position?.offset == 10)
        given.identify(as: .zero)
        #expect(given.topicID == Self.otherID)
    }

    @Test("an offset from the application belongs to the topic it read before, until it reads again")
    func origin() throws {
        var cursor = try cursor()
        cursor.skip(to: FetchPosition(offset: 12))
        var other = sought(cursor, ConsumerStart(.offset(11)))
        other.topicID = Self.otherID
        #expect(other.commit == TopicOffset(offset: OffsetAndMetadata(11), topicID: Self.id))
        #expect(other.readTopicID == Self.id)
        other.skip(to: FetchPosition(offset: 15))
        #expect(other.commit?.topicID == Self.otherID)
    }

    @Test("the mismatch of topic ids counts from the first time, until the metadata agree again")
    func mismatch() throws {
        let clock = ManualClock()
        var cursor = try cursor()
        let first = clock.now
        var since = cursor.mismatched(at: first)
        #expect(since == first)
        clock.advance(by: .seconds(5))
        since = cursor.mismatched(at: clock.now)
        #expect(since == first)
        cursor.identify(as: Self.id)
        since = cursor.mismatched(at: clock.now)
        #expect(since == clock.now)
    }

    // MARK: Reading

    @Test("records move both positions, and the last one reaches the end of the batch")
    func records() throws {
        var cursor = try cursor()
        cursor.deliver(recordAt: 10, next: FetchPosition(offset: 11, lastFetchedEpoch: 4))
        #expect(cursor.isInProgress && cursor.processed == FetchPosition(offset: 10, lastFetchedEpoch: 4))
        cursor.deliver(recordAt: 12, next: FetchPosition(offset: 20, lastFetchedEpoch: 4))
        #expect(cursor.delivered?.offset == 20 && cursor.processed?.offset == 12)
        cursor.markProcessed()
        #expect(!cursor.isInProgress && cursor.commit?.offset == OffsetAndMetadata(20, leaderEpoch: 4))
    }

    @Test("a broker's offset is a beginning only if no position is known")
    func resumed() throws {
        var cursor = try cursor(at: ConsumerStart(.earliest))
        #expect(cursor.commit == nil)
        var begins = cursor.resume(at: FetchPosition(offset: 4))
        #expect(begins && cursor.delivered?.offset == 4)
        begins = cursor.resume(at: FetchPosition(offset: 9))
        #expect(!begins && cursor.delivered?.offset == 4)
    }

    @Test("lag and end are unknown before a response, after a negative one, and it isn't caught up after a failure")
    func progress() throws {
        var cursor = try cursor()
        #expect(cursor.lag == nil && !cursor.isCaughtUp)
        cursor.saw(highWatermark: 12, end: 12)
        #expect(cursor.lag == 2 && !cursor.isCaughtUp)
        cursor.skip(to: FetchPosition(offset: 12))
        #expect(cursor.lag == 0 && cursor.isCaughtUp)
        cursor.failure = .reported(KafkaError(.corruptMessage, ""))
        #expect(!cursor.isCaughtUp)
        cursor.saw(highWatermark: -1, end: -1)
        #expect(cursor.lag == nil && cursor.highWatermark == nil)
    }

    @Test("the event of a failure names the partition, and the position if the error has no offset")
    func failure() throws {
        let cursor = try cursor()
        let event = cursor.failure(KafkaError(.corruptMessage, "damaged"))
        #expect(event.partition == partition && event.offset == 10)
        #expect(event.error.topic == "t" && event.error.partition == 0)
        #expect(cursor.failure(KafkaError(.corruptMessage, "", offset: 99)).offset == 99)
    }
}
