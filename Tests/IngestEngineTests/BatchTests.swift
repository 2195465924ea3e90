import Foundation
import KafkaWire
import PGWire
import Testing

@testable import IngestEngine

/// A record for a test.
struct SampleRecord {
    var key: String? = "machine_reading"
    var value: String? = SamplePlan.reading
    var headers: [RecordHeader] = []
    var timestamp: Int64 = 1_700_000_000_000
}

/// A record batch of partition 3 of topic `t`, starting at offset 0.
func recordBatch(
    _ records: [SampleRecord], from offset: Int64 = 0, partition: Int32 = 3
) throws -> RecordBatch {
    var builder = RecordBatchBuilder(pool: BufferPool(limit: 0))
    for record in records {
        try builder.append(
            key: record.key.map { Array($0.utf8) }, value: record.value.map { Array($0.utf8) },
            headers: record.headers, timestamp: record.timestamp)
    }
    var encoded = try builder.finish()
    var reader = RecordBatchReader(
        topic: "t", partition: partition, records: encoded.stamp(), from: offset, checksCRC: true,
        maximumInflatedBytes: 1 << 20, pool: BufferPool(limit: 0))
    return try #require(try reader.next())
}

@Suite("Batches")
struct BatchTests {
    @Test func aBatchRecordsEachPartitionsOffsets() throws {
        let batch = try CopyBatch(SamplePlan.plan)
        #expect(batch.isEmpty && batch.began == nil)
        let begin = ContinuousClock.now
        let samples = [SampleRecord(), SampleRecord(key: "alarm"), SampleRecord()]
        try batch.append(recordBatch(samples), position: 0, now: begin)
        #expect(batch.progress == [SamplePlan.place: CopyBatch.Progress(expected: 0, next: 3, leaderEpoch: -1)])
        #expect(batch.recordCount == 3)
        #expect(batch.rowCounts == [2, 0])
        #expect(batch.deadLetterCount == 1)
        #expect(batch.messageBytes == 3 * SamplePlan.reading.utf8.count + 2 * 15 + 5)
        #expect(batch.began == begin)
        // Later additions change neither the start time nor the expected offset.
        try batch.append(recordBatch([SampleRecord()]), position: 3, now: begin + .seconds(1))
        #expect(batch.progress[SamplePlan.place]?.expected == 0)
        #expect(batch.began == begin)

        batch.removeAll()
        #expect(batch.isEmpty && batch.began == nil && batch.recordCount == 0 && batch.byteCount == 0)
        #expect(batch.messageBytes == 0)
    }

    @Test func someRecordsOfABatchAreAdded() throws {
        let batch = try CopyBatch(SamplePlan.plan)
        let records = try recordBatch([
            SampleRecord(), SampleRecord(key: "x"), SampleRecord(), SampleRecord(), SampleRecord(),
        ])
        try batch.append([records], in: [SamplePlan.place: 1..<4])
        #expect(batch.recordCount == 3)
        #expect(batch.rowCounts == [2, 0])
        #expect(batch.origins(of: 0) == [RecordOrigin(batch: 0, offset: 2), RecordOrigin(batch: 0, offset: 3)])
        #expect(batch.deadLetterOrigins == [RecordOrigin(batch: 0, offset: 1)])
        try batch.appendDeadLetters(records, [3: "a reason"])
        #expect(batch.recordCount == 3)
        #expect(batch.deadLetterCount == 2)
        #expect(batch.runs == [DeadLetterCounter.Run(records: 3, rejected: 1)])
        #expect(batch.progress.isEmpty)
        batch.advance(SamplePlan.place, from: 1, to: 10, leaderEpoch: 4)
        #expect(batch.progress == [SamplePlan.place: CopyBatch.Progress(expected: 1, next: 10, leaderEpoch: 4)])

        let rest = try CopyBatch(SamplePlan.plan)
        try rest.append(recordBatch(Array(repeating: SampleRecord(), count: 5), from: 2), position: 2, now: .now)
        #expect(rest.progress[SamplePlan.place] == CopyBatch.Progress(expected: 2, next: 5, leaderEpoch: -1))
        #expect(rest.recordCount == 3)
    }
}

@Suite("Exchange of batches")
struct BatchExchangeTests {
    @Test func batchesCirculateInOrder() async throws {
        let batches = [try CopyBatch(SamplePlan.plan), try CopyBatch(SamplePlan.plan)]
        let exchange = BatchExchange(batches: batches)
        let first = try await exchange.takeEmpty()
        let second = try await exchange.takeEmpty()
        #expect(first !== second)
        exchange.give { first }
        exchange.give { second }
        #expect(try await exchange.takeFull() === first)
        #expect(try await exchange.takeFull() === second)
        exchange.give(empty: first)
        #expect(try await exchange.takeEmpty() === first)
    }

    @Test func theMapperWaitsForTheSink() async throws {
        let exchange = BatchExchange(batches: [try CopyBatch(SamplePlan.plan)])
        let batch = try await exchange.takeEmpty()
        let waiting = Task { try await exchange.takeEmpty() }
        exchange.give { batch }
        let full = try #require(try await exchange.takeFull())
        try full.append(recordBatch([SampleRecord()]), position: 0, now: .now)
        exchange.give(empty: full)
        let again = try await waiting.value
        #expect(again === batch)
        #expect(again.isEmpty)
    }

    @Test func fullBatchesAreTakenAfterClosing() async throws {
        let exchange = BatchExchange(batches: [try CopyBatch(SamplePlan.plan)])
        let batch = try await exchange.takeEmpty()
        exchange.give { batch }
        exchange.close()
        #expect(try await exchange.takeFull() != nil)
        #expect(try await exchange.takeFull() == nil)
        #expect(try await exchange.takeFull() == nil)
    }

    @Test func closingWakesTheSink() async throws {
        let exchange = BatchExchange(batches: [])
        let sink = Task { try await exchange.takeFull() == nil }
        exchange.close()
        #expect(try await sink.value)
    }

    @Test func cancellationWakesBothSides() async throws {
        let exchange = BatchExchange(batches: [])
        let mapper = Task { _ = try await exchange.takeEmpty() }
        let sink = Task { _ = try await exchange.takeFull() }
        mapper.cancel()
        sink.cancel()
        await #expect(throws: CancellationError.self) { try await mapper.value }
        await #expect(throws: CancellationError.self) { try await sink.value }
    }
    @Test func theSinkTakesTheOpenBatchOnlyAfterTheFullOnes() async throws {
        let batches = [try CopyBatch(SamplePlan.plan), try CopyBatch(SamplePlan.plan)]
        let exchange = BatchExchange(batches: [])
        exchange.give { batches[0] }
        exchange.give { nil }
        #expect(!exchange.isSinkWaiting)
        #expect(try await exchange.takeFull { batches[1] } === batches[0])
        #expect(try await exchange.takeFull { batches[1] } === batches[1])
        #expect(!exchange.isSinkWaiting)
        exchange.close()
        #expect(try await exchange.takeFull { nil } == nil)
        #expect(exchange.isSinkWaiting)
    }
}
