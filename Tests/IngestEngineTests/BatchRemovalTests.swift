import KafkaWire
import PGWire
import Testing

@testable import IngestEngine

private func place(_ partition: Int32) -> TopicPartition { TopicPartition(topic: "t", partition: partition) }

@Suite("Removing a partition from a batch")
struct BatchRemovalTests {
    private static let alarm = SampleRecord(key: "alarm", value: #"{"code":3,"length":"1 day ago"}"#)
    private static let letter = SampleRecord(key: "alarm", value: "{")
    private static func reading(_ id: Int32) -> SampleRecord {
        SampleRecord(value: #"{"id":\#(id),"at":"2024-03-12 08:00:06.1","value":34}"#)
    }

    /// Makes a batch with these record batches.
    private static func batch(_ parts: [(Int32, [SampleRecord])]) throws -> CopyBatch {
        let batch = try CopyBatch(SamplePlan.plan)
        var positions: [Int32: Int64] = [:]
        for (partition, records) in parts {
            // Offsets start at 0 in each record batch; only their number matters here.
            let position = positions[partition, default: 0]
            try batch.append(
                recordBatch(records, partition: partition), position: position, assignment: Int(partition), now: .now)
            positions[partition] = position + Int64(records.count)
        }
        return batch
    }

    private static func bytes(of rows: borrowing CopyBuffer) -> [UInt8] {
        unsafe rows.bytes.withUnsafeBytes { unsafe Array($0) }
    }

    /// The bytes of each target's rows, then those of the dead letters.
    private static func bytes(_ batch: CopyBatch) -> [[UInt8]] {
        batch.plan.targets.indices.map { bytes(of: batch.content.targets[$0].rows) }
            + [bytes(of: batch.content.deadLetters)]
    }

    @Test func remainingRowsAreAsIfThePartitionWereNeverAdded() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let parts = (0..<Int.random(in: 1...12, using: &random)).map { index in
                let records = (0..<Int.random(in: 0...4, using: &random)).map { number in
                    switch Int.random(in: 0..<8, using: &random) {
                    case 0: Self.letter
                    case 1: Self.alarm
                    case 2: SampleRecord(key: "unknown")
                    default: Self.reading(Int32(index * 10 + number))
                    }
                }
                return (Int32.random(in: 0..<3, using: &random), records)
            }.filter { !$0.1.isEmpty }
            let removed = Set((0..<3).filter { _ in Bool.random(using: &random) }.map { Int32($0) })
            let batch = try Self.batch(parts)
            batch.remove(Set(removed.map(place)))
            let expected = try Self.batch(parts.filter { !removed.contains($0.0) })
            #expect(batch.progress == expected.progress)
            #expect(batch.recordCount == expected.recordCount && batch.messageBytes == expected.messageBytes)
            #expect(batch.rowCounts == expected.rowCounts && batch.deadLetterCount == expected.deadLetterCount)
            #expect(batch.runs == expected.runs)
            #expect(batch.rejections.entries.mapValues(\.count) == expected.rejections.entries.mapValues(\.count))
            #expect(batch.isEmpty == expected.isEmpty)
            #expect(Self.bytes(batch) == Self.bytes(expected))
            // Partitions, and so their marks, can be removed one after the other.
            let twice = try Self.batch(parts)
            for partition in removed.sorted() { twice.remove([place(partition)]) }
            #expect(twice.rowCounts == batch.rowCounts && twice.byteCount == batch.byteCount)
            // More can be added afterwards.
            try batch.append(recordBatch([Self.reading(7)], partition: 9), position: 0, now: .now)
            try expected.append(recordBatch([Self.reading(7)], partition: 9), position: 0, now: .now)
            #expect(batch.rowCounts == expected.rowCounts && batch.byteCount == expected.byteCount)
        }
    }

    @Test func removingAnAbsentPartitionChangesNothing() throws {
        let batch = try Self.batch([(1, [Self.reading(1), Self.letter])])
        batch.remove([place(2)])
        #expect(batch.recordCount == 2 && batch.rowCounts == [1, 0] && batch.deadLetterCount == 1)
        #expect(batch.progress[place(1)]?.assignment == 1)
    }
}
