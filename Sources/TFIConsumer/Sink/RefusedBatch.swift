import KafkaWire
import PGWire

/// Finds the message for which the database refused a batch: reads the batch's messages again and commits them in
/// halves, and those again, until the culprit stands alone. It becomes a dead letter, and all others become rows.
///
/// A batch keeps only the rows, not the messages, so they come from Kafka once more. That is slow, and rare.
struct RefusedBatch {
    let client: KafkaClient
    let sink: Sink
    let topic: String
    let committed: @Sendable (CopyBatch) -> Void

    func resolve(_ progress: [Int32: CopyBatch.Progress]) async throws {
        for (partition, range) in progress.sorted(by: { $0.key < $1.key }) {
            try await halve(partition, range.expected, range.next)
        }
    }

    /// Commits the messages from one offset up to another, if need be in parts.
    private func halve(_ partition: Int32, _ from: Int64, _ to: Int64) async throws {
        guard from < to else { return }
        let batch = CopyBatch()
        try await read(partition, from, to) { records, position throws(KafkaError) in
            try batch.append(records, position: position, before: to, now: .now)
        }
        do {
            try await sink.commit(batch)
            committed(batch)
        } catch let refused as Sink.Refused {
            guard batch.recordCount > 1 else {
                return try await bury(partition, from, to, refused.error)
            }
            let middle = from + (to - from) / 2
            try await halve(partition, from, middle)
            try await halve(partition, middle, to)
        }
    }

    private func bury(_ partition: Int32, _ from: Int64, _ to: Int64, _ error: PostgresError) async throws {
        let batch = CopyBatch()
        try await read(partition, from, to) { records, position throws(KafkaError) in
            var iterator = records.records
            while let record = try iterator.next() {
                guard record.offset < to else { break }
                batch.appendDeadLetter(record, of: records, reason: "the database refused it: \(error)")
            }
            batch.advance(
                partition, from: position, to: min(records.nextOffset, to), leaderEpoch: records.partitionLeaderEpoch)
        }
        try await sink.commit(batch)
        committed(batch)
    }

    private func read(
        _ partition: Int32, _ from: Int64, _ to: Int64,
        _ body: (RecordBatch, Int64) throws(KafkaError) -> Void
    ) async throws {
        let consumer = client.consumer(offsetReset: .fail)
        await consumer.assign([TopicPartition(topic: topic, partition: partition): ConsumerStart(.offset(from))])
        do {
            var position = from
            for try await records in consumer {
                try body(records, position)
                position = min(records.nextOffset, to)
                if position >= to { break }
            }
            await consumer.close()
        } catch {
            await consumer.close()
            throw error
        }
    }
}
