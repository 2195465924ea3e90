import Testing

@testable import KafkaFake
@testable import KafkaWire

@Suite("The fake's log")
struct FakeLogTests {
    private func log(_ sizes: [Int]) throws -> PartitionLog {
        let log = PartitionLog(leader: 1, replicas: [1])
        for size in sizes { try append(log, size) }
        return log
    }

    /// Appends a batch with `count` records.
    private func append(_ log: PartitionLog, _ count: Int) throws {
        let bytes = ByteSlice(try batchBytes((0..<count).map(String.init)))
        log.append(bytes, RecordBatchHeader(bytes.span))
    }

    @Test("a read begins with the batch of the offset, ends at the limit, and has at least one whole batch")
    func read() throws {
        let log = try log([3, 3, 3])
        let size = log.batches[0].bytes.count
        #expect(log.endOffset == 9)
        #expect(log.read(from: 4, limit: 10_000, atLeastOne: true)?.count == 2 * size)
        #expect(log.read(from: 0, limit: size + 5, atLeastOne: true)?.count == size + 5)
        #expect(log.read(from: 0, limit: 5, atLeastOne: true)?.count == size)
        #expect(log.read(from: 0, limit: 5, atLeastOne: false) == nil)
        #expect(log.read(from: 9, limit: 10_000, atLeastOne: true) == nil)
        let bytes = try #require(log.read(from: 8, limit: 10_000, atLeastOne: true))
        #expect(RecordBatchHeader(bytes.span).baseOffset == 6)
    }

    @Test("an epoch ends at the start of the next one, after elections and after truncation")
    func epochs() throws {
        let log = try log([5])
        log.elect(2)
        try append(log, 5)
        #expect(log.end(ofEpoch: 0) == (0, 5))
        #expect(log.end(ofEpoch: 1) == (1, 10))
        #expect(log.end(ofEpoch: 7) == (-1, -1))
        #expect(log.epoch(at: 4) == 0)
        #expect(log.epoch(at: 5) == 1)
        log.truncate(to: 7)
        log.elect(1)
        #expect(log.endOffset == 5)
        try append(log, 3)
        #expect(log.end(ofEpoch: 1) == (0, 5))
        #expect(log.end(ofEpoch: 2) == (2, 8))
    }

    @Test("the log's start moves to the offset, and whole batches are removed")
    func moveStart() throws {
        let log = try log([3, 3])
        log.moveStart(to: 4)
        #expect(log.startOffset == 4)
        #expect(log.batches.map(\.baseOffset) == [3])
        log.moveStart(to: 2)
        #expect(log.startOffset == 4)
        log.moveStart(to: 100)
        #expect(log.startOffset == 6)
        #expect(log.batches.isEmpty)
        try append(log, 1)
        #expect(log.endOffset == 7)
    }

    private func header(_ sequence: Int32, count: Int32 = 2, epoch: Int16 = 0) -> RecordBatchHeader {
        var header = RecordBatchHeader()
        header.producerID = 1
        header.producerEpoch = epoch
        header.baseSequence = sequence
        header.recordCount = count
        return header
    }

    @Test("sequence numbers: the next is accepted, the last five are recognized as duplicates, others are rejected")
    func sequences() {
        var states = ProducerStates()
        #expect(states.check(header(40)) == .next)
        for index in Int32(0)..<7 {
            #expect(states.check(header(index * 2)) == .next)
            states.wrote(header(index * 2), at: Int64(index * 2))
        }
        #expect(states.check(header(12)) == .duplicate(baseOffset: 12))
        #expect(states.check(header(4)) == .duplicate(baseOffset: 4))
        #expect(states.check(header(2)) == .refused(.outOfOrderSequenceNumber))
        #expect(states.check(header(12, count: 1)) == .refused(.outOfOrderSequenceNumber))
        #expect(states.check(header(16)) == .refused(.outOfOrderSequenceNumber))
        #expect(states.check(header(0, epoch: 1)) == .next)
        #expect(states.check(header(3, epoch: 1)) == .refused(.outOfOrderSequenceNumber))
        states.wrote(header(0, epoch: 1), at: 14)
        #expect(states.check(header(14)) == .refused(.invalidProducerEpoch))
    }

    @Test("sequence numbers continue at 0 after the largest one")
    func wrapping() {
        var states = ProducerStates()
        states.wrote(header(.max - 1), at: 0)
        #expect(states.check(header(0)) == .next)
        states.wrote(header(0), at: 2)
        states.wrote(header(.max, count: 3), at: 4)
        #expect(states.check(header(2)) == .next)
    }

    @Test("invalid batches are rejected")
    func refusals() throws {
        let good = try batchBytes(["a", "b"])
        func code(_ bytes: [UInt8]?, maximum: Int = 1000) -> ErrorCode? {
            switch BatchCheck.header(of: bytes.map { ByteSlice($0) }, maximum: maximum) {
            case .success: nil
            case .failure(let refusal): refusal.code
            }
        }
        #expect(code(good) == nil)
        #expect(code(nil) == .invalidRecord)
        #expect(code([]) == .invalidRecord)
        #expect(code(good, maximum: good.count - 1) == .messageTooLarge)
        #expect(code(good + good) == .invalidRecord)
        #expect(code(Array(good.dropLast())) == .invalidRecord)
        var damaged = good
        damaged[70] ^= 1
        #expect(code(damaged) == .corruptMessage)
        var old = good
        old[16] = 1
        #expect(code(old) == .unsupportedForMessageFormat)
        var gap = good
        gap[26] = 5
        #expect(code(withChecksum(gap)) == .invalidRecord)
    }

    @Test("fetch sessions: changed partitions, unknown sessions, and forgotten partitions")
    func sessions() throws {
        func request(_ id: Int32, _ epoch: Int32, _ partitions: [Int32], forgotten: [Int32] = []) -> FetchRequest {
            FetchRequest(
                sessionId: id, sessionEpoch: epoch,
                topics: [.init(topic: "t", partitions: partitions.map { .init(partition: $0) })],
                forgottenTopicsData: [.init(topic: "t", partitions: forgotten)])
        }
        var sessions = FetchSessions()
        func begin(_ request: FetchRequest, node: Int32 = 1) -> Result<FetchSessions.Asked, FetchSessions.Refusal> {
            sessions.begin(request, node: node, usesIDs: false)
        }
        let opened = try begin(request(0, 0, [0, 1])).get()
        #expect(opened.sessionID > 0 && !opened.isIncremental)
        let id = opened.sessionID
        let next = try begin(request(id, 1, [2], forgotten: [0])).get()
        #expect(next.isIncremental)
        #expect(next.entries.map(\.key.partition) == [1, 2])
        func refusal(_ result: Result<FetchSessions.Asked, FetchSessions.Refusal>) -> ErrorCode? {
            if case .failure(let refusal) = result { refusal.code } else { nil }
        }
        #expect(refusal(begin(request(id, 1, []))) == .invalidFetchSessionEpoch)
        #expect(refusal(begin(request(id + 1, 1, []))) == .fetchSessionIdNotFound)
        #expect(refusal(begin(request(id, 2, []), node: 2)) == .fetchSessionIdNotFound)
        sessions.end(id, answered: [next.entries[0].key: (5, 0, true)])
        #expect(try begin(request(id, 2, [])).get().entries.map(\.key.partition) == [2, 1])
        #expect(try begin(request(id, -1, [0])).get().sessionID == 0)
        #expect(refusal(begin(request(id, 3, []))) == .fetchSessionIdNotFound)
    }
}
