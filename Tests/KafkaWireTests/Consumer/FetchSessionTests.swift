import Testing

@testable import KafkaWire

@Suite("The client's half of a fetch session")
struct FetchSessionTests {
    private static let id = KafkaUUID(high: 1, low: 1)
    private static let otherID = KafkaUUID(high: 2, low: 2)

    private func fetch(_ offset: Int64, id: KafkaUUID = Self.id, epoch: Int32 = 0, maximum: Int32 = 100)
        -> PartitionFetch
    {
        PartitionFetch(
            topicID: id, position: FetchPosition(offset: offset), leaderEpoch: epoch, maximumBytes: maximum)
    }

    private func partitions(_ offsets: [Int32: Int64]) -> [TopicPartition: PartitionFetch] {
        var result: [TopicPartition: PartitionFetch] = [:]
        for (partition, offset) in offsets { result[TopicPartition("t", partition)] = fetch(offset) }
        return result
    }

    @Test("the first request is complete and opens a session; further ones name what has changed")
    func incremental() {
        var session = FetchSession()
        let first = session.next(partitions([0: 0, 1: 0, 2: 0]))
        #expect(first.sessionID == 0)
        #expect(first.epoch == 0)
        #expect(Set(first.partitions) == Set(partitions([0: 0, 1: 0, 2: 0]).keys))
        #expect(first.forgotten.isEmpty)
        session.succeeded(sessionID: 7)

        let same = session.next(partitions([0: 0, 1: 0, 2: 0]))
        #expect(same == FetchSession.Request(sessionID: 7, epoch: 1, partitions: [], forgotten: [:]))
        session.succeeded(sessionID: 7)

        let moved = session.next(partitions([0: 0, 1: 5, 2: 0]))
        #expect(moved.epoch == 2)
        #expect(moved.partitions == [TopicPartition("t", 1)])
        session.succeeded(sessionID: 7)

        let changed = session.next(partitions([1: 5, 2: 0, 3: 0]))
        #expect(changed.epoch == 3)
        #expect(changed.partitions == [TopicPartition("t", 3)])
        #expect(changed.forgotten == [TopicPartition("t", 0): Self.id])
    }

    @Test("whatever changes of a partition is told", arguments: [1, 2, 3])
    func changes(which: Int) {
        var session = FetchSession()
        let key = TopicPartition("t")
        _ = session.next([key: fetch(0)])
        session.succeeded(sessionID: 7)
        let changed =
            switch which {
            case 1: fetch(1)
            case 2: fetch(0, epoch: 1)
            default: fetch(0, maximum: 200)
            }
        let request = session.next([key: changed])
        #expect(request.partitions == [key])
        #expect(request.forgotten.isEmpty)
    }

    @Test("a topic that was made again is another one: the old id is forgotten, the other added")
    func recreated() {
        var session = FetchSession()
        let key = TopicPartition("t")
        _ = session.next([key: fetch(0)])
        session.succeeded(sessionID: 7)
        let request = session.next([key: fetch(0, id: Self.otherID)])
        #expect(request.partitions == [key])
        #expect(request.forgotten == [key: Self.id])
    }

    @Test("a broker without sessions is sent complete requests, each beginning with another partition")
    func withoutSession() {
        var session = FetchSession()
        let wanted = partitions([0: 0, 1: 0, 2: 0])
        var firsts: [Int32] = []
        for _ in 0..<3 {
            let request = session.next(wanted)
            #expect(request.sessionID == 0)
            #expect(request.epoch == 0)
            #expect(request.partitions.count == 3)
            firsts.append(request.partitions[0].partition)
            session.succeeded(sessionID: 0)
        }
        #expect(firsts.sorted() == [0, 1, 2])
    }

    @Test("after a reset the next request is complete again")
    func reset() {
        var session = FetchSession()
        let wanted = partitions([0: 0, 1: 0])
        _ = session.next(wanted)
        session.succeeded(sessionID: 7)
        _ = session.next(wanted)
        session.reset()
        let request = session.next(wanted)
        #expect(request.sessionID == 0)
        #expect(request.epoch == 0)
        #expect(request.partitions.count == 2)
        #expect(request.forgotten.isEmpty)
    }

    @Test(
        "a broker that rejects one session after the other is sent requests without one; a lost connection is a new try"
    )
    func rejected() {
        var session = FetchSession()
        let wanted = partitions([0: 0, 1: 0])
        for count in 1...3 {
            _ = session.next(wanted)
            // The broker opens the session, and doesn't know it with the next request.
            session.succeeded(sessionID: 7)
            _ = session.next(wanted)
            #expect(session.rejected() == count)
        }
        for _ in 0..<2 {
            let request = session.next(wanted)
            #expect(request.sessionID == 0 && request.epoch == -1 && request.partitions.count == 2)
            session.succeeded(sessionID: 0)
        }
        session.reset()
        #expect(session.next(wanted).epoch == 0)
        session.succeeded(sessionID: 8)
        _ = session.next(wanted)
        session.succeeded(sessionID: 8)
        #expect(session.rejected() == 1)
    }

    @Test("nothing wanted is an empty request")
    func empty() {
        var session = FetchSession()
        let request = session.next([:])
        #expect(request.partitions.isEmpty)
        #expect(request.epoch == 0)
    }
}
