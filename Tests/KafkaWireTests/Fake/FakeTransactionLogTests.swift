import Testing

@testable import KafkaFake
@testable import KafkaWire

@Suite("Transactions in the fake's log")
struct FakeTransactionLogTests {
    private let log = PartitionLog(leader: 1, replicas: [1])

    /// Appends a transactional batch of this producer.
    private func write(_ producer: Int64, _ sequence: Int32, epoch: Int16 = 0, count: Int = 2) throws {
        let bytes = ByteSlice(try transactionalBatch(producer, epoch, sequence, (0..<count).map(String.init)))
        log.append(bytes, RecordBatchHeader(bytes.span))
    }

    private func end(_ producer: Int64, epoch: Int16 = 0, isCommit: Bool) {
        log.append(
            TransactionMarker(isCommit: isCommit, producerID: producer, producerEpoch: epoch, timestamp: 1000))
    }

    @Test("the last stable offset is the start of the oldest open transaction")
    func lastStableOffset() throws {
        try write(1, 0)
        try write(2, 0)
        #expect(log.lastStableOffset == 0)
        end(1, isCommit: true)
        #expect(log.endOffset == 5)
        #expect(log.lastStableOffset == 2)
        end(2, isCommit: false)
        #expect(log.lastStableOffset == 6)
        // A marker without a transaction has no effect.
        end(2, isCommit: false)
        #expect(log.lastStableOffset == 7)
        #expect(log.transactions.aborted == [.init(producerID: 2, firstOffset: 2, lastOffset: 5)])
    }

    @Test("a read lists the aborted transactions in its range of offsets")
    func abortedIndex() throws {
        try write(1, 0)
        end(1, isCommit: false)
        try write(1, 2)
        end(1, isCommit: false)
        let (first, second) = (log.transactions.aborted[0], log.transactions.aborted[1])
        #expect(log.transactions.aborted(in: 0..<2) == [first])
        #expect(log.transactions.aborted(in: 0..<4) == [first, second])
        #expect(log.transactions.aborted(in: 2..<3) == [first])
        #expect(log.transactions.aborted(in: 3..<6) == [second])
        #expect(log.transactions.aborted(in: 6..<9).isEmpty)
        log.moveStart(to: 3)
        #expect(log.transactions.aborted == [second])
    }

    @Test("a truncated log keeps its remaining transactions")
    func truncation() throws {
        try write(1, 0)
        end(1, isCommit: false)
        try write(2, 0)
        end(2, isCommit: false)
        log.truncate(to: 5)
        #expect(log.endOffset == 5)
        #expect(log.lastStableOffset == 3)
        #expect(log.transactions.aborted.map(\.producerID) == [1])
        #expect(log.producers.isInTransaction(2, epoch: 0))
        #expect(!log.producers.isInTransaction(1, epoch: 0))
    }

    @Test("a read_committed reader stops before open transactions, at a batch boundary")
    func read() throws {
        try write(1, 0)
        end(1, isCommit: true)
        try write(2, 0)
        let all = try #require(log.read(from: 0, limit: 10_000, atLeastOne: true))
        let committed = try #require(
            log.read(from: 0, below: log.lastStableOffset, limit: 10_000, atLeastOne: true))
        #expect(committed.count == log.batches[0].bytes.count + log.batches[1].bytes.count)
        #expect(log.end(of: committed) == 3)
        #expect(log.end(of: all) == 5)
        #expect(log.end(of: all.slice(0..<all.count - 5)) == 5)
        #expect(log.read(from: 3, below: log.lastStableOffset, limit: 10_000, atLeastOne: true) == nil)
    }

    @Test("markers are control batches that KafkaWire can read")
    func markers() throws {
        end(7, epoch: 3, isCommit: true)
        end(7, epoch: 4, isCommit: false)
        let types = try log.batches.map { stored in
            var reader = RecordBatchReader(
                topic: "t", partition: 0, records: stored.bytes, from: 0, maximumInflatedBytes: 1000,
                pool: BufferPool(limit: 0))
            let batch = try #require(try reader.next())
            #expect(batch.isControl && batch.isTransactional && batch.producerID == 7 && batch.baseSequence == -1)
            #expect(batch.recordCount == 1)
            return try batch.controlRecordType()
        }
        #expect(types == [.commit, .abort])
    }

    private func check(_ producer: Int64, epoch: Int16, _ sequence: Int32, isTransactional: Bool = true) throws
        -> ProducerStates.Verdict
    {
        let bytes = try transactionalBatch(producer, epoch, sequence, ["a"], isTransactional: isTransactional)
        return log.producers.check(RecordBatchHeader(ByteSlice(bytes).span))
    }

    @Test("a marker of a later epoch fences the earlier one and resets the sequence numbers")
    func fencing() throws {
        try write(1, 0)
        #expect(try check(1, epoch: 0, 2) == .next)
        #expect(try check(1, epoch: 0, 2, isTransactional: false) == .refused(.invalidTxnState))
        end(1, epoch: 0, isCommit: true)
        #expect(try check(1, epoch: 0, 2) == .next)
        #expect(try check(1, epoch: 0, 2, isTransactional: false) == .next)
        end(1, epoch: 1, isCommit: false)
        #expect(try check(1, epoch: 0, 2) == .refused(.invalidProducerEpoch))
        #expect(try check(1, epoch: 1, 2) == .refused(.outOfOrderSequenceNumber))
        #expect(try check(1, epoch: 1, 0) == .next)
    }

    @Test("compaction leaves gaps and empty batches, and keeps headers and control batches")
    func compaction() throws {
        try write(1, 0, count: 5)
        try write(1, 5, count: 2)
        end(1, isCommit: true)
        log.compact(removing: [1, 2, 4, 5, 6, 7], keepsEmptyBatches: true)
        #expect(log.batches.map(\.baseOffset) == [0, 5, 7])
        #expect(log.endOffset == 8)
        var reader = RecordBatchReader(
            topic: "t", partition: 0, records: log.batches[0].bytes, from: 0, maximumInflatedBytes: 1000,
            pool: BufferPool(limit: 0))
        let batch = try #require(try reader.next())
        #expect(try batch.readRecords() == [ReadRecord(offset: 0, value: "0"), ReadRecord(offset: 3, value: "3")])
        #expect(batch.lastOffset == 4 && batch.producerID == 1 && batch.isTransactional)
        let counts = log.batches.map { RecordBatchHeader($0.bytes.span).recordCount }
        #expect(counts == [2, 0, 1])
        log.compact(removing: [5], keepsEmptyBatches: false)
        #expect(log.batches.map(\.baseOffset) == [0, 7])
    }

    @Test("with LogAppendTime every record has the broker's time")
    func appendTime() throws {
        let bytes = ByteSlice(try batchBytes(["a", "b"], timestamp: 5))
        log.append(bytes, RecordBatchHeader(bytes.span), appendTime: 123_456)
        var reader = RecordBatchReader(
            topic: "t", partition: 0, records: log.batches[0].bytes, from: 0, maximumInflatedBytes: 1000,
            pool: BufferPool(limit: 0))
        let batch = try #require(try reader.next())
        #expect(batch.timestampType == .logAppendTime)
        var records = batch.makeIterator()
        var timestamps: [Int64] = []
        while let record = try records.next() { timestamps.append(record.timestamp.millisecondsSince1970) }
        #expect(timestamps == [123_456, 123_456])
    }
}

/// An encoded record batch of a transactional producer.
func transactionalBatch(
    _ producer: Int64, _ epoch: Int16, _ sequence: Int32, _ values: [String], isTransactional: Bool = true
) throws -> [UInt8] {
    var builder = RecordBatchBuilder(pool: BufferPool(limit: 0))
    for value in values { try builder.append(key: nil, value: Array(value.utf8), timestamp: 1000) }
    var batch = try builder.finish()
    return [UInt8](
        batch.stamp(
            producerID: producer, producerEpoch: epoch, baseSequence: sequence, isTransactional: isTransactional))
}
