import Testing

@testable import KafkaWire

@Suite("Skipping aborted transactions") struct AbortedTransactionsTests {
    private func read(
        _ records: ByteSlice, from offset: Int64 = 0, _ aborted: [(producer: Int64, first: Int64)]
    ) throws -> [RecordBatch] {
        var reader = RecordBatchReader(
            topic: "t", partition: 0, records: records, from: offset, maximumInflatedBytes: 1 << 20,
            pool: BufferPool(limit: 0),
            leavingOut: AbortedTransactions(
                aborted.map { FetchResponse.AbortedTransaction(producerId: $0.producer, firstOffset: $0.first) }))
        var batches: [RecordBatch] = []
        while let batch = try reader.next() { batches.append(batch) }
        return batches
    }

    /// A transactional producer's batch at an offset of the log.
    private func batch(at offset: Int64, of producer: Int64, _ count: Int = 1, end: Int16? = nil) throws -> [UInt8] {
        var builder = RecordBatchBuilder(pool: BufferPool(limit: 0))
        for _ in 0..<count {
            // A marker's key is a version and a type.
            try builder.append(
                key: end.map { [0, 0, UInt8($0 >> 8), UInt8($0 & 0xff)] }, value: [1], timestamp: 0)
        }
        var encoded = try builder.finish()
        var bytes = [UInt8](encoded.stamp())
        for index in 0..<8 {
            bytes[index] = UInt8(truncatingIfNeeded: offset >> (56 - 8 * index))
            bytes[43 + index] = UInt8(truncatingIfNeeded: producer >> (56 - 8 * index))
        }
        if producer >= 0 { bytes[22] |= end == nil ? 0x10 : 0x30 }
        return withChecksum(bytes)
    }

    @Test func `a real broker's log, read from each offset`() throws {
        let segment = try FixtureTests.segment("transactions")
        let producer: Int64 = try #require(try readBatches(segment).first).producerID
        for offset in Int64(0)..<12 {
            // The broker lists a transaction whose marker follows later.
            var aborted: [(producer: Int64, first: Int64)] = []
            if offset <= 7 { aborted.append((producer, 4)) }
            let batches = try read(segment, from: offset, aborted)
            let offsets = try batches.flatMap { try $0.copyRecords().map(\.offset) }
            #expect(offsets == [0, 1, 2, 8, 9, 10].filter { $0 >= offset })
            #expect(batches.last?.nextOffset == 12)
            #expect(batches.contains(where: \.isAborted) == (offset <= 6))
        }
    }

    @Test func `interleaved transactions of several producers, listed in any order`() throws {
        let abort: Int16 = 0
        let commit: Int16 = 1
        let log = try [
            batch(at: 0, of: 1, 2), batch(at: 2, of: 2), batch(at: 3, of: 1), batch(at: 4, of: -1),
            batch(at: 5, of: 1, end: abort), batch(at: 6, of: 1), batch(at: 7, of: 3), batch(at: 8, of: 2, end: commit),
            batch(at: 9, of: 1, end: commit), batch(at: 10, of: 3, end: abort), batch(at: 11, of: 3),
            batch(at: 12, of: 1), batch(at: 13, of: 1, end: abort), batch(at: 14, of: 3, end: commit),
        ].flatMap { $0 }
        let batches = try read(ByteSlice(log), [(1, 12), (3, 7), (1, 0)])
        #expect(batches.filter(\.isAborted).map(\.baseOffset) == [0, 3, 7, 12])
        #expect(try batches.flatMap { try $0.copyRecords().map(\.offset) } == [2, 4, 6, 11])
        #expect(batches.map(\.nextOffset) == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    }

    @Test func `aborted batches aren't decompressed`() throws {
        var bytes = try batch(at: 0, of: 1)
        // Claim gzip for bytes that aren't.
        bytes[22] |= 1
        let log = ByteSlice(withChecksum(bytes))
        #expect(throws: KafkaError.self) { _ = try read(log, []) }
        #expect(try read(log, [(1, 0)]).map(\.isAborted) == [true])
    }
}
