import KafkaWire
import Testing

@testable import IngestEngine

private func place(_ partition: Int32) -> TopicPartition { TopicPartition(topic: "t", partition: partition) }

@Suite("Totals")
struct TotalsTests {
    private static func batch(_ partition: Int32, _ offsets: Range<Int64>) -> IngestTotals.Batch {
        IngestTotals.Batch(
            records: offsets.count, messageBytes: offsets.count * 10, tables: ["a", "b"], rows: [offsets.count - 1, 0],
            deadLetters: 1, suppressed: 0,
            progress: [
                place(partition): CopyBatch.Progress(
                    expected: offsets.lowerBound, next: offsets.upperBound, leaderEpoch: 0)
            ])
    }

    @Test func lostCommitsAreNotCounted() {
        let totals = IngestTotals()
        totals.begin(tables: ["a", "b"])
        totals.add(Self.batch(0, 0..<10), took: .zero)
        totals.add(Self.batch(1, 0..<5), took: .zero)
        totals.add(Self.batch(0, 10..<20), took: .zero)
        totals.add(Self.batch(1, 5..<9), took: .zero)
        #expect(totals.snapshot.records == 29)
        // The last two commits are lost.
        totals.reread([place(0): 10, place(1): 5])
        let snapshot = totals.snapshot
        #expect(snapshot.records == 15 && snapshot.rows == 13 && snapshot.deadLetters == 2)
        #expect(snapshot.messageBytes == 150 && snapshot.batches == 2)
        // A repeated call changes nothing.
        totals.reread([place(0): 10, place(1): 5])
        #expect(totals.snapshot.records == 15)
    }

    @Test func theRowsOfADeletedTopicStillCount() {
        let totals = IngestTotals()
        totals.reread([place(0): 0, place(1): 0])
        totals.add(Self.batch(0, 0..<10), took: .zero)
        totals.add(Self.batch(1, 0..<5), took: .zero)
        totals.reread([place(0): 10])
        #expect(totals.snapshot.records == 15)
    }

    @Test func onlyTheLastCommitsAreKept() {
        let totals = IngestTotals()
        totals.begin(tables: ["a", "b"])
        for offset in 0..<Int64(20_000) { totals.add(Self.batch(0, offset..<offset + 1), took: .zero) }
        #expect(totals.snapshot.records == 20_000)
        totals.reread([place(0): 19_000])
        #expect(totals.snapshot.records == 19_000)
    }
}

@Suite("Positions")
struct OffsetPositionTests {
    private static func positions(_ stored: [Int32: Int64]) -> OffsetStore.Positions {
        let progress: [TopicPartition: CopyBatch.Progress] = [
            place(0): .init(expected: 10, next: 20, leaderEpoch: 0),
            place(1): .init(expected: 5, next: 7, leaderEpoch: 0),
        ]
        return OffsetStore.positions(
            of: progress, in: stored.map { OffsetStore.Entry(partition: place($0.key), nextOffset: $0.value) })
    }

    @Test func offsetsShowWhetherABatchIsWritten() {
        let before = Self.positions([0: 10, 1: 5])
        #expect(!before.isWritten && before.shifts.isEmpty && before.missing.isEmpty)
        #expect(Self.positions([0: 20, 1: 7]).isWritten)
        // Others have advanced since.
        #expect(Self.positions([0: 25, 1: 7]).isWritten)
        #expect(Self.positions([:]).missing == [place(0), place(1)])
        #expect(Self.positions([0: 10]).missing == [place(1)])
    }

    @Test func movedPartitionsAreReported() {
        let setBack = Self.positions([0: 9, 1: 5])
        #expect(!setBack.isWritten)
        #expect(setBack.shifts == [place(0): .init(stored: 9, expected: 10)])
        #expect(setBack.shifts[place(0)]?.isBehind == true)
        // Another member has committed exactly the batch's records of one partition. The batch itself was not written.
        let ahead = Self.positions([0: 20, 1: 5])
        #expect(!ahead.isWritten)
        #expect(ahead.shifts == [place(0): .init(stored: 20, expected: 10)])
        #expect(ahead.shifts[place(0)]?.isBehind == false)
    }
}
