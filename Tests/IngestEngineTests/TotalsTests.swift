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

    @Test func whatTheDatabaseHasLostIsNotCounted() {
        let totals = IngestTotals()
        totals.begin([place(0): 0, place(1): 0], tables: ["a", "b"])
        totals.add(Self.batch(0, 0..<10), took: .zero)
        totals.add(Self.batch(1, 0..<5), took: .zero)
        totals.add(Self.batch(0, 10..<20), took: .zero)
        totals.add(Self.batch(1, 5..<9), took: .zero)
        #expect(totals.snapshot.records == 29)
        // The last two commits are gone.
        totals.begin([place(0): 10, place(1): 5], tables: ["a", "b"])
        let snapshot = totals.snapshot
        #expect(snapshot.records == 15 && snapshot.rows == 13 && snapshot.deadLetters == 2)
        #expect(snapshot.messageBytes == 150 && snapshot.batches == 2)
        #expect(snapshot.committed == [place(0): 10, place(1): 5])
        // The same again changes nothing.
        totals.begin([place(0): 10, place(1): 5], tables: ["a", "b"])
        #expect(totals.snapshot.records == 15)
    }

    @Test func theRowsOfADeletedTopicStillCount() {
        let totals = IngestTotals()
        totals.begin([place(0): 0, place(1): 0], tables: ["a", "b"])
        totals.add(Self.batch(0, 0..<10), took: .zero)
        totals.add(Self.batch(1, 0..<5), took: .zero)
        totals.begin([place(0): 10], tables: ["a", "b"])
        #expect(totals.snapshot.records == 15)
    }

    @Test func onlyTheLastCommitsAreKept() {
        let totals = IngestTotals()
        totals.begin([place(0): 0], tables: ["a", "b"])
        for offset in 0..<Int64(20_000) { totals.add(Self.batch(0, offset..<offset + 1), took: .zero) }
        #expect(totals.snapshot.records == 20_000)
        totals.begin([place(0): 19_000], tables: ["a", "b"])
        #expect(totals.snapshot.records == 19_000)
    }
}

@Suite("Positions")
struct OffsetPositionTests {
    private static func position(_ stored: [Int32: Int64]) -> OffsetStore.Position {
        let progress: [TopicPartition: CopyBatch.Progress] = [
            place(0): .init(expected: 10, next: 20, leaderEpoch: 0),
            place(1): .init(expected: 5, next: 5, leaderEpoch: 0),
        ]
        return OffsetStore.position(
            of: progress, in: stored.map { OffsetStore.Entry(partition: place($0.key), nextOffset: $0.value) })
    }

    @Test func theOffsetsTellWhatHappened() {
        #expect(Self.position([0: 10, 1: 5]) == .beforeBatch)
        #expect(Self.position([0: 20, 1: 5]) == .afterBatch)
        #expect(Self.position([0: 9, 1: 5]) == .setBack)
        #expect(Self.position([0: 10, 1: 0]) == .setBack)
        #expect(Self.position([0: 10]) == .missing(place(1)))
        #expect(Self.position([:]) == .missing(place(0)))
        #expect(Self.position([0: 12, 1: 5]) == .elsewhere(.init(partition: place(0), stored: 12, expected: 10)))
    }
}
