import CommandLineSupport
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
    let stop: StopSignal
    let committed: @Sendable (CopyBatch) -> Void

    /// - Throws: What `Sink.commit` throws, `KafkaError`, `Failure` where the database refuses a dead letter, and
    ///   `Stopped` where the program is to end before it is done.
    func resolve(_ progress: [Int32: CopyBatch.Progress]) async throws {
        for (partition, range) in progress.sorted(by: { $0.key < $1.key }) where range.expected < range.next {
            let messages = try await read(partition, range.expected..<range.next)
            try await halve(partition, range.expected..<range.next, messages, range.leaderEpoch)
        }
    }

    /// Commits the messages of a range of offsets, if need be in parts.
    private func halve(
        _ partition: Int32, _ range: Range<Int64>, _ messages: [RecordBatch], _ leaderEpoch: Int32
    ) async throws {
        if stop.isRequested { throw Stopped() }
        let messages = messages.filter { $0.nextOffset > range.lowerBound && $0.baseOffset < range.upperBound }
        func batch(refusedFor reason: String? = nil) throws(KafkaError) -> CopyBatch {
            let batch = CopyBatch()
            for records in messages { try batch.append(records, in: range, refusedFor: reason) }
            batch.advance(partition, from: range.lowerBound, to: range.upperBound, leaderEpoch: leaderEpoch)
            return batch
        }
        let rows = try batch()
        do {
            try await sink.commit(rows)
            committed(rows)
        } catch let refused as Sink.Refused {
            guard rows.recordCount > 1 else {
                return try await bury(
                    try batch(refusedFor: "the database refused it: \(refused.error)"), partition, range.lowerBound)
            }
            let middle = range.lowerBound + Int64(range.count / 2)
            try await halve(partition, range.lowerBound..<middle, messages, leaderEpoch)
            try await halve(partition, middle..<range.upperBound, messages, leaderEpoch)
        }
    }

    private func bury(_ letter: CopyBatch, _ partition: Int32, _ offset: Int64) async throws {
        do {
            try await sink.commit(letter)
            committed(letter)
        } catch let refused as Sink.Refused {
            throw Failure(
                "a constraint or trigger of dead_letter keeps a message out (topic \(topic), partition \(partition), "
                    + "offset \(offset)), so that it could only be lost; take it away: \(refused.error)",
                status: .configuration)
        }
    }

    /// The record batches that hold the messages of a range of offsets. They are no more than one batch was made of.
    private func read(_ partition: Int32, _ range: Range<Int64>) async throws -> [RecordBatch] {
        // What the log doesn't have any more would be passed over in silence by anything but an error.
        let consumer = client.consumer(offsetReset: .fail)
        let closing = Task {
            await stop.wait()
            await consumer.close()
        }
        defer { closing.cancel() }
        await consumer.assign(
            [TopicPartition(topic: topic, partition: partition): ConsumerStart(.offset(range.lowerBound))])
        do {
            var messages: [RecordBatch] = []
            var iterator = consumer.makeAsyncIterator()
            while messages.last?.nextOffset ?? range.lowerBound < range.upperBound {
                guard let records = try await iterator.next() else { throw Stopped() }
                messages.append(records)
            }
            await consumer.close()
            return messages
        } catch {
            await consumer.close()
            throw error
        }
    }
}
