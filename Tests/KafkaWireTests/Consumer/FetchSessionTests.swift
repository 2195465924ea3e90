import Testing

@testable import KafkaWire

@Suite("The client's half of a fetch session")
struct FetchSessionTests {
    private static let id = KafkaUUID(high: 1, low: 1)
    private static let otherID = KafkaUUID(high: 2, low: 2)

    /// A session with one broker, and the cursors that it writes to.
    private struct Conversation {
        var session = FetchSession(node: 1)
        var cursors = CursorTable()

        /// The next request, if these partitions are to be fetched. Others are taken away.
        mutating func next(_ wanted: [TopicPartition: PartitionFetch]) -> FetchSession.Request {
            for partition in cursors.collect({ _ in true }).keys where wanted[partition] == nil {
                _ = cursors.remove(partition)
            }
            var requested: [TopicPartition: RequestedFetch] = [:]
            for (partition, fetch) in wanted {
                let slot =
                    cursors[partition]?.slot
                    ?? cursors.place(partition, at: ConsumerStart(.earliest), maximumBytes: 100)
                requested[partition] = RequestedFetch(fetch: fetch, slot: slot)
            }
            return session.next(requested, &cursors)
        }

        mutating func succeeded(sessionID: Int32) { session.succeeded(sessionID: sessionID) }
        mutating func reset() { session.reset() }
        mutating func rejected() -> Int { session.rejected() }
    }

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

    @Test("the first request is complete and opens a session; later ones name only what has changed")
    func incremental() {
        var session = Conversation()
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

    @Test("any change of a partition is named", arguments: [1, 2, 3])
    func changes(which: Int) {
        var session = Conversation()
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

    @Test("a recreated topic is another topic: the old id is forgotten, the new one added")
    func recreated() {
        var session = Conversation()
        let key = TopicPartition("t")
        _ = session.next([key: fetch(0)])
        session.succeeded(sessionID: 7)
        let request = session.next([key: fetch(0, id: Self.otherID)])
        #expect(request.partitions == [key])
        #expect(request.forgotten == [key: Self.id])
    }

    @Test("requests to a broker without sessions are complete, and each begins with another partition")
    func withoutSession() {
        var session = Conversation()
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
        var session = Conversation()
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
        "after several rejections requests have no session; a new connection is another attempt"
    )
    func rejected() {
        var session = Conversation()
        let wanted = partitions([0: 0, 1: 0])
        for count in 1...3 {
            _ = session.next(wanted)
            // The broker opens the session, and rejects it with the next request.
            session.succeeded(sessionID: 7)
            _ = session.next(wanted)
            let rejections = session.rejected()
            #expect(rejections == count)
        }
        for _ in 0..<2 {
            let request = session.next(wanted)
            #expect(request.sessionID == 0 && request.epoch == -1 && request.partitions.count == 2)
            session.succeeded(sessionID: 0)
        }
        session.reset()
        let fresh = session.next(wanted)
        #expect(fresh.epoch == 0)
        session.succeeded(sessionID: 8)
        _ = session.next(wanted)
        session.succeeded(sessionID: 8)
        let rejections = session.rejected()
        #expect(rejections == 1)
    }

    @Test("without partitions the request is empty")
    func empty() {
        var session = Conversation()
        let request = session.next([:])
        #expect(request.partitions.isEmpty)
        #expect(request.epoch == 0)
    }

    @Test("a partition that another broker leads now is forgotten in the first broker's session")
    func moved() {
        var cursors = CursorTable()
        var sessions = [FetchSession(node: 1), FetchSession(node: 2)]
        let key = TopicPartition("t")
        let slot = cursors.place(key, at: ConsumerStart(.earliest), maximumBytes: 100)
        let wanted = [key: RequestedFetch(fetch: fetch(0), slot: slot)]
        _ = sessions[0].next(wanted, &cursors)
        sessions[0].succeeded(sessionID: 7)
        var request = sessions[1].next(wanted, &cursors)
        #expect(request.partitions == [key])
        sessions[1].succeeded(sessionID: 8)
        request = sessions[0].next([:], &cursors)
        #expect(request.forgotten == [key: Self.id])
        sessions[0].succeeded(sessionID: 7)
        request = sessions[0].next([:], &cursors)
        #expect(request.forgotten.isEmpty)
        request = sessions[1].next(wanted, &cursors)
        #expect(request.partitions.isEmpty)
    }

    @Test("a partition that is assigned again is named, and not forgotten")
    func assignedAgain() {
        var cursors = CursorTable()
        var session = FetchSession(node: 1)
        let key = TopicPartition("t")
        var slot = cursors.place(key, at: ConsumerStart(.earliest), maximumBytes: 100)
        _ = session.next([key: RequestedFetch(fetch: fetch(0), slot: slot)], &cursors)
        session.succeeded(sessionID: 7)
        _ = cursors.remove(key)
        slot = cursors.place(key, at: ConsumerStart(.earliest), maximumBytes: 100)
        let request = session.next([key: RequestedFetch(fetch: fetch(5), slot: slot)], &cursors)
        #expect(request.partitions == [key])
        // A broker adds partitions before it removes those that are forgotten.
        #expect(request.forgotten.isEmpty)
    }

    @Test("a fetch for an earlier slot is left out, since its response would be dropped")
    func stale() {
        var cursors = CursorTable()
        var session = FetchSession(node: 1)
        let key = TopicPartition("t")
        let slot = cursors.place(key, at: ConsumerStart(.earliest), maximumBytes: 100)
        _ = cursors.place(key, at: ConsumerStart(.offset(9)), maximumBytes: 100)
        let request = session.next([key: RequestedFetch(fetch: fetch(0), slot: slot)], &cursors)
        #expect(request.partitions.isEmpty)
    }
}
