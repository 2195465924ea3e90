import CommandLineSupport
import Concurrency
import KafkaWire
import PGWire

/// Commits a batch with rows that the database refuses: the refused ones as dead letters, all others as rows, in one
/// transaction.
///
/// A batch holds only rows, but a dead letter needs the message, so the messages are read from Kafka again.
struct RejectedBatch {
    let client: KafkaClient
    let sink: Sink
    /// Returns the ids of the topics by name; zero if the broker doesn't report an id.
    let topicIDs: @Sendable () -> [String: KafkaUUID]
    /// Returns a batch's partitions that were reassigned or whose positions are being reread.
    let stale: @Sendable ([TopicPartition: CopyBatch.Progress]) -> Set<TopicPartition>
    let stop: StopSignal

    /// The outcome of a commit.
    struct Outcome: Sendable {
        var batch: IngestTotals.Batch
        var rejections: RejectionSummary
        var counter: DeadLetterCounter
        var hasTimedOut = false
    }

    /// Commits the messages in the given offset ranges.
    ///
    /// - Parameters:
    ///   - memory: Reused for the messages' rows; its contents are lost.
    ///   - maximum: The most rows to send in one statement; reduced if the server's `statement_timeout` requires it.
    ///   - counter: The records committed before.
    ///   - committed: Called after each commit.
    /// - Throws: Errors of `Sink.commit`; `KafkaError`; `DeadLetterLimit.Reached`, in which case nothing is committed;
    ///   `Failure` if the database refuses a dead letter, after committing all messages before it; `Stopped`.
    func commit(
        _ progress: [TopicPartition: CopyBatch.Progress], in memory: CopyBatch, maximum: inout Int,
        counter: DeadLetterCounter, committed: (Outcome) -> Void
    ) async throws {
        let ranges = progress.compactMapValues { $0.expected < $0.next ? $0.expected..<$0.next : nil }
        let messages = try await read(ranges, of: progress)
        let attempts = Attempts(maximum: maximum)
        defer { maximum = attempts.maximum.withLock { $0 } }
        do {
            committed(try await commitParts(messages, progress, ranges, memory, attempts, counter))
        } catch let refused as RefusedLetter {
            // The messages before it in its partition, and those of all other partitions, can be committed.
            var before = progress
            before[refused.partition]?.next = refused.offset
            if before[refused.partition].map({ $0.expected >= $0.next }) == true { before[refused.partition] = nil }
            if !before.isEmpty {
                var maximum = attempts.maximum.withLock { $0 }
                try await commit(before, in: memory, maximum: &maximum, counter: counter, committed: committed)
            }
            throw Failure(
                "a constraint or trigger of dead_letter rejects a message (topic \(refused.partition.topic), "
                    + "partition \(refused.partition.partition), offset \(refused.offset)), which would be lost; drop it: "
                    + "\(refused.error)",
                status: .configuration)
        }
    }

    /// State shared by the attempts to commit the same messages.
    private final class Attempts: Sendable {
        /// The most rows to send in one statement.
        let maximum: Lock<Int>
        /// The outcome of the last attempt.
        let last = Lock<Outcome?>(nil)

        init(maximum: Int) {
            self.maximum = Lock(maximum)
        }
    }

    /// The database refuses a dead letter.
    private struct RefusedLetter: Error {
        let partition: TopicPartition
        let offset: Int64
        let error: PostgresError
    }

    private func commitParts(
        _ messages: [RecordBatch], _ progress: [TopicPartition: CopyBatch.Progress],
        _ ranges: [TopicPartition: Range<Int64>],
        _ batch: CopyBatch, _ attempts: Attempts, _ counter: DeadLetterCounter
    ) async throws -> Outcome {
        try await sink.commit(progress, inParts: true) { session in
            attempts.last.withLock { $0 = nil }
            batch.removeAll()
            try batch.append(messages, in: ranges)
            for (partition, move) in progress {
                batch.advance(
                    partition, from: move.expected, to: move.next, leaderEpoch: move.leaderEpoch,
                    assignment: move.assignment)
            }
            var isolation = RowIsolation(maximum: attempts.maximum.withLock { $0 }, limit: counter)
            defer { attempts.maximum.withLock { $0 = isolation.maximum } }
            let outcome = try copy(batch, messages, &isolation, counter, &session)
            attempts.last.withLock { $0 = outcome }
        }
        // Set by the committed attempt, which was the last one.
        guard let outcome = attempts.last.withLock({ $0 }) else {
            throw Failure("a batch was committed before it was sent; please report this bug", status: .internalError)
        }
        return outcome
    }

    /// Copies a batch's rows and dead letters.
    private func copy(
        _ batch: CopyBatch, _ messages: [RecordBatch], _ isolation: inout RowIsolation,
        _ counter: DeadLetterCounter, _ session: inout PostgresSession
    ) throws -> Outcome {
        // A deferred constraint would fail in COMMIT, when it is too late to omit a row.
        try session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        var rows = batch.rowCounts
        var suppressed = 0
        /// The reasons of the refused records, by record batch and offset.
        var refused: [Int: [Int64: String]] = [:]
        for table in rows.indices {
            let sent = rows[table]
            rows[table] = 0
            if let staged = try batch.isolateStagedRows(of: table, &isolation, &session) {
                for refusal in staged.refusals {
                    refused[refusal.origin.batch, default: [:]][refusal.origin.offset] = RowIsolation.reason(
                        refusal.error)
                }
                rows[table] = staged.rows
                suppressed += staged.suppressed
                continue
            }
            /// Counts the rows that were sent last.
            func note(_ sent: Int, _ origins: [RecordOrigin]) {
                for refusal in isolation.refusals {
                    let origin = origins[refusal.row]
                    refused[origin.batch, default: [:]][origin.offset] = RowIsolation.reason(refusal.error)
                }
                suppressed += max(0, sent - isolation.refusals.count - isolation.copied)
                rows[table] += isolation.copied
            }
            let serverRows = batch.serverRowCount(of: table)
            try batch.copyRows(of: table, &isolation, &session)
            note(sent - serverRows, batch.origins(of: table))
            guard serverRows > 0 else { continue }
            try session.execute(ServerRows.settings)
            try batch.insertServerRows(of: table, &isolation, &session)
            try session.execute(ServerRows.resetSettings)
            note(serverRows, batch.serverOrigins(of: table))
        }
        let counter = try count(batch, messages, refused, counter)
        var letterOrigins = batch.deadLetterOrigins
        for (index, reasons) in refused.sorted(by: { $0.key < $1.key }) {
            try batch.appendDeadLetters(messages[index], reasons)
            letterOrigins += reasons.keys.sorted().map { RecordOrigin(batch: index, offset: $0) }
        }
        try batch.copyDeadLetters(into: sink.deadLetters, &isolation, &session)
        if let first = isolation.refusals.first {
            let origin = letterOrigins[first.row]
            throw RefusedLetter(
                partition: messages[origin.batch].place, offset: origin.offset, error: first.error)
        }
        return Outcome(
            batch: IngestTotals.Batch(
                records: batch.recordCount, messageBytes: batch.messageBytes, tables: batch.plan.labels, rows: rows,
                deadLetters: batch.deadLetterCount, suppressed: suppressed, progress: batch.progress),
            rejections: batch.rejections, counter: counter, hasTimedOut: isolation.hasTimedOut)
    }

    /// Adds a batch's records to the counter, in the order in which they were read.
    private func count(
        _ batch: CopyBatch, _ messages: [RecordBatch], _ refused: [Int: [Int64: String]], _ counter: DeadLetterCounter
    ) throws(DeadLetterLimit.Reached) -> DeadLetterCounter {
        var rejected = [Int](repeating: 0, count: messages.count)
        for origin in batch.deadLetterOrigins { rejected[origin.batch] += 1 }
        for (index, reasons) in refused { rejected[index] += reasons.count }
        var counter = counter
        for index in messages.indices {
            counter.add(.init(records: batch.recordCount(ofBatch: index), rejected: rejected[index]))
            guard let excess = counter.excess else { continue }
            throw DeadLetterLimit.Reached(
                excess: excess, reason: refused[index]?.values.first ?? batch.rejections.last)
        }
        return counter
    }

    /// How often to check why a read delivers nothing.
    private static let lookInterval = Duration.seconds(3)

    /// Reads the record batches that contain these offsets. They are at most those from which one batch was made.
    ///
    /// - Throws: `KafkaError` with the partition whose messages can't or needn't be read any more; `Stopped`.
    private func read(
        _ ranges: [TopicPartition: Range<Int64>], of progress: [TopicPartition: CopyBatch.Progress]
    ) async throws -> [RecordBatch] {
        guard !ranges.isEmpty else { return [] }
        // If the log no longer has the messages, the read must fail instead of skipping them.
        let consumer = client.consumer(offsetReset: .fail)
        let closing = Task {
            await stop.wait()
            await consumer.close()
        }
        defer { closing.cancel() }
        var positions = ranges.mapValues(\.lowerBound)
        let topicIDs = topicIDs()
        await consumer.assign(
            Dictionary(
                uniqueKeysWithValues: positions.map {
                    ($0.key, ConsumerStart(.offset($0.value), topicID: topicIDs[$0.key.topic] ?? .zero))
                }))
        do {
            var messages: [RecordBatch] = []
            var iterator = consumer.makeAsyncIterator()
            while ranges.contains(where: { positions[$0.key, default: .max] < $0.value.upperBound }) {
                switch try await iterator.next(timeout: Self.lookInterval) {
                case .batch(let records):
                    guard let range = ranges[records.place] else { continue }
                    if positions[records.place, default: .max] < range.upperBound { messages.append(records) }
                    positions[records.place] = records.nextOffset
                case .timedOut:
                    let missing = ranges.filter { positions[$0.key, default: .max] < $0.value.upperBound }
                    if let error = obstacle(to: missing, of: progress, ends: consumer.highWatermarks) { throw error }
                case .finished: throw Stopped()
                }
            }
            await consumer.close()
            return messages
        } catch {
            await consumer.close()
            throw error
        }
    }

    /// The reason why waiting for messages is pointless; nil if it isn't.
    private func obstacle(
        to missing: [TopicPartition: Range<Int64>], of progress: [TopicPartition: CopyBatch.Progress],
        ends: [TopicPartition: Int64]
    ) -> KafkaError? {
        func error(_ partition: TopicPartition, _ message: String) -> KafkaError {
            KafkaError(.offsetOutOfRange, message, topic: partition.topic, partition: partition.partition)
        }
        let stale = stale(progress)
        for (partition, range) in missing.sorted(by: { $0.key < $1.key }) {
            if stale.contains(partition) { return error(partition, "the partition was assigned to another member") }
            if let end = ends[partition], end < range.upperBound {
                return error(partition, "the log ends at offset \(end), before \(range.upperBound): it was truncated")
            }
        }
        return nil
    }
}
