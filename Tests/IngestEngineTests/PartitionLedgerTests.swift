import KafkaWire
import Testing

@testable import IngestEngine

private func place(_ partition: Int32) -> TopicPartition { TopicPartition(topic: "t", partition: partition) }

@Suite("Ledger of partitions", .timeLimit(.minutes(1)))
struct PartitionLedgerTests {
    /// A ledger that reads these partitions from offset 0 and has an open batch.
    private static func ledger(_ partitions: [Int32]) throws -> PartitionLedger {
        let ledger = PartitionLedger()
        ledger.assign(partitions.map(place))
        ledger.begin(
            Dictionary(uniqueKeysWithValues: partitions.map { (place($0), .init(offset: 0)) }), of: ledger.awaiting)
        ledger.open(try CopyBatch(SamplePlan.plan))
        return ledger
    }

    private static func take(
        _ ledger: PartitionLedger, _ partition: Int32, count: Int = 1
    ) throws -> PartitionLedger.Taken.Outcome {
        try ledger.take(
            recordBatch(Array(repeating: SampleRecord(), count: count), partition: partition), now: .now
        ).outcome
    }

    @Test func noRecordIsAddedBeforeThePositionIsRead() throws {
        let ledger = PartitionLedger()
        ledger.open(try CopyBatch(SamplePlan.plan))
        #expect(try Self.take(ledger, 0) == .skipped)
        ledger.assign([place(0)])
        #expect(ledger.needsAttention)
        #expect(try Self.take(ledger, 0) == .skipped)
        ledger.begin([place(0): .init(offset: 0)], of: ledger.awaiting)
        #expect(!ledger.needsAttention)
        #expect(try Self.take(ledger, 0) == .taken)
        #expect(ledger.handOver()?.recordCount == 1)
        #expect(ledger.handOver() == nil)
        #expect(try Self.take(ledger, 0) == .needsBatch)
    }

    @Test func aPositionOfAnEarlierAssignmentIsIgnored() {
        let ledger = PartitionLedger()
        ledger.assign([place(0)])
        let assignments = ledger.awaiting
        _ = ledger.remove([place(0)])
        ledger.assign([place(0)])
        ledger.begin([place(0): .init(offset: 5)], of: assignments)
        #expect(ledger.needsAttention)
        #expect(ledger.committed.isEmpty)
    }

    @Test func recordsOfALostPartitionAreStale() throws {
        let ledger = try Self.ledger([0, 1])
        _ = try Self.take(ledger, 0)
        _ = try Self.take(ledger, 1)
        let batch = try #require(ledger.remove([place(0)]))
        #expect(ledger.stale(batch.progress) == [place(0)])
        // The partition is assigned again, but the earlier records remain stale.
        ledger.assign([place(0)])
        #expect(ledger.stale(batch.progress) == [place(0)])
        ledger.begin([place(0): .init(offset: 0)], of: ledger.awaiting)
        #expect(ledger.stale(batch.progress) == [place(0)])
        ledger.committed(batch.progress)
        #expect(ledger.committed == [place(0): 0, place(1): 1])
    }

    @Test func theOpenBatchStaysIfItHasNothingOfALostPartition() throws {
        let ledger = try Self.ledger([0, 1])
        _ = try Self.take(ledger, 1)
        #expect(ledger.remove([place(0)]) == nil)
        #expect(try Self.take(ledger, 1) == .taken)
    }

    @Test func aRevokedPartitionIsSettledOnceItsRowsAreCommitted() async throws {
        let ledger = try Self.ledger([0, 1])
        _ = try Self.take(ledger, 0)
        let batch = try #require(ledger.beginRevoking([place(0)]))
        ledger.open(try CopyBatch(SamplePlan.plan))
        #expect(try Self.take(ledger, 0) == .skipped)
        #expect(try Self.take(ledger, 1) == .taken)
        #expect(ledger.stale(batch.progress).isEmpty)
        let settling = Task { await ledger.settle([place(0)], until: .now + .seconds(600)) }
        ledger.committed(batch.progress)
        await settling.value
        _ = ledger.remove([place(0)])
        #expect(ledger.partitions == [place(1)])
    }

    @Test func droppedRowsAreNotAwaited() async throws {
        let ledger = try Self.ledger([0, 1])
        _ = try Self.take(ledger, 0)
        _ = ledger.beginRevoking([place(0)])
        let settling = Task { await ledger.settle([place(0)], until: .now + .seconds(600)) }
        // Another member has moved it: the batch loses these rows.
        _ = ledger.reread([place(0)])
        await settling.value
        _ = try Self.take(ledger, 1)
        _ = ledger.beginRevoking([place(1)])
        let abandoned = Task { await ledger.settle([place(1)], until: .now + .seconds(600)) }
        ledger.abandon()
        await abandoned.value
    }

    @Test func aFailedPartitionKeepsEarlierRecords() throws {
        struct Broken: Error {}
        let ledger = try Self.ledger([0, 1])
        _ = try Self.take(ledger, 0)
        #expect(ledger.fail(place(0), Broken()))
        #expect(!ledger.fail(place(0), Broken()))
        #expect(try Self.take(ledger, 0) == .skipped)
        let batch = try #require(ledger.handOver())
        #expect(ledger.stale(batch.progress).isEmpty)
        #expect(ledger.hasActivePartitions)
        #expect(ledger.fail(place(1), Broken()))
        #expect(!ledger.hasActivePartitions)
        // A new assignment is a new attempt.
        ledger.assign([place(0)])
        #expect(ledger.failures.keys.sorted() == [place(1)])
    }
    @Test func aBatchThatIsDueGrowsUntilTheSinkTakesIt() throws {
        let ledger = try Self.ledger([0])
        #expect(ledger.handOverDue() == nil)
        _ = try Self.take(ledger, 0)
        #expect(ledger.handOverDue() == nil)
        #expect(ledger.isFilling(anyOf: [place(0), place(1)]) && !ledger.isFilling(anyOf: [place(1)]))
        ledger.markDue()
        _ = try Self.take(ledger, 0)
        #expect(ledger.handOverDue()?.recordCount == 2)
        #expect(!ledger.isFilling(anyOf: [place(0)]))
        #expect(try Self.take(ledger, 0) == .needsBatch)
        // The next batch isn't due because of that.
        ledger.markDue()
        ledger.open(try CopyBatch(SamplePlan.plan))
        _ = try Self.take(ledger, 0)
        #expect(ledger.handOverDue() == nil)
    }
}
