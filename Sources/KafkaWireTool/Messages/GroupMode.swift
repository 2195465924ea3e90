import CommandLineSupport
import Concurrency
import KafkaWire

/// `-G`: prints messages as a member of a consumer group, and commits the offsets of printed messages.
struct GroupMode {
    let options: MessageOptions
    let client: KafkaClient
    let group: String
    let notes: Notes

    private static let idle = Duration.milliseconds(100)

    func run(until stop: StopSignal) async throws {
        let printer = try options.printer()
        let consumer = client.consumer()
        let notes = notes
        let group = group
        let assigned = Assigned()
        let subscription = try TopicArguments.subscription(options.operands + options.topics)
        try await consumer.subscribe(to: subscription) { rebalance in
            assigned.take(rebalance)
            notes.say("Group \(group) rebalanced: \(Self.text(of: rebalance))")
        }
        let stopping = Task {
            await stop.wait()
            assigned.end()
        }
        defer { stopping.cancel() }
        // After any error, commit, so that printed messages don't come again, and leave the group, so that the other
        // members needn't wait for this member's session timeout. If the cluster does not answer, the commit takes up
        // to default.api.timeout.ms, and closing up to request.timeout.ms.
        var failure: (any Error)?
        do { try await read(consumer, subscription, printer, assigned) } catch { failure = error }
        do {
            if client.configuration.group.commitsAutomatically {
                // Of a failed partition, only whole batches were printed. They are committed on close.
                let failed = consumer.failedPartitions
                try await commit(assigned.offsets.filter { failed[$0.key] == nil }, consumer)
            }
        } catch {
            if let first = failure, (first as? OutputError) != .closed {
                notes.say("the last offsets were not committed: \(error)")
            } else {
                // A closed standard output is not an error, but a failed commit is.
                failure = error
            }
        }
        await consumer.close()
        if let failure { throw failure }
    }

    /// Prints until the member should stop.
    private func read(
        _ consumer: KafkaConsumer, _ subscription: Subscription, _ printer: RecordPrinter, _ assigned: Assigned
    ) async throws {
        var printer = printer
        var count = 0
        var absence = Absence(group: group, subscription: subscription, admin: client.admin)
        var batches = consumer.makeAsyncIterator()
        while !assigned.isEnded {
            switch try await batches.next(timeout: Self.idle) {
            case .batch(let batch):
                let printed: RecordPrinter.Printed
                do {
                    printed = try await printer.print(batch, limit: (options.count ?? .max) - count)
                } catch {
                    // Print the records before the one that can't be printed.
                    try? await printer.flush()
                    throw error
                }
                // Offsets may only be committed after printing, and the next call of `next` counts this batch as
                // processed. If this throws, that call never happens, and the whole batch comes again.
                try await printer.flush()
                count += printed.count
                let partition = TopicPartition(topic: batch.topic, partition: batch.partition)
                assigned.printed(partition, next: printed.nextOffset)
                if let limit = options.count, count >= limit { assigned.end() }
            case .timedOut:
                guard options.exitsAtEnd else { continue }
                if assigned.areAllAtEnd(lag: consumer.lag) { assigned.end() }
                let member = consumer.state == .member && assigned.isEmpty ? consumer.groupMetadata?.memberID : nil
                if let reason = try await absence.end(ofMember: member) {
                    notes.say(reason)
                    assigned.end()
                }
            case .finished: assigned.end()
            }
        }
    }

    /// Commits the exact offsets after the last printed records; the consumer's own commit only counts whole batches.
    private func commit(_ offsets: [TopicPartition: OffsetAndMetadata], _ consumer: KafkaConsumer) async throws {
        guard !offsets.isEmpty else { return }
        do {
            // Makes these the consumer's positions, so that its commit on close does not go back.
            try await consumer.seek(offsets.mapValues { .offset($0.offset) })
            try await consumer.commit(offsets)
        } catch let error as KafkaError
            where [
                .illegalGeneration, .unknownMemberId, .rebalanceInProgress, .staleMemberEpoch, .unknownTopicOrPartition,
            ].contains(error.code)
        {
            notes.say("the last offsets were not committed, because the partitions were reassigned: \(error.message)")
        }
    }

    private static func text(of rebalance: Rebalance) -> String {
        let (verb, partitions) =
            switch rebalance {
            case .assigned(let partitions): ("assigned", partitions)
            case .revoked(let partitions): ("revoked", partitions)
            case .lost(let partitions): ("lost", partitions)
            }
        let names = partitions.sorted().map { "\($0.topic) [\($0.partition)]" }
        return "\(verb): \(names.isEmpty ? "nothing" : names.joined(separator: ", "))"
    }
}

/// The member's assigned partitions, which a rebalance changes during reading, and their offsets to commit.
private final class Assigned: Sendable {
    private struct State {
        var partitions: Set<TopicPartition> = []
        /// The offset after the last printed record of each partition.
        var next: [TopicPartition: Int64] = [:]
        var isEnded = false
    }

    private let state = Lock(State())

    var isEnded: Bool { state.withLock { $0.isEnded } }
    func end() { state.withLock { $0.isEnded = true } }

    func take(_ rebalance: Rebalance) {
        state.withLock { state in
            switch rebalance {
            case .assigned(let partitions):
                state.partitions.formUnion(partitions)
            case .revoked(let partitions), .lost(let partitions):
                state.partitions.subtract(partitions)
                for partition in partitions { state.next[partition] = nil }
            }
        }
    }

    func printed(_ partition: TopicPartition, next: Int64) {
        state.withLock { state in
            if state.partitions.contains(partition) { state.next[partition] = next }
        }
    }

    var offsets: [TopicPartition: OffsetAndMetadata] {
        state.withLock { $0.next.mapValues { OffsetAndMetadata($0) } }
    }

    /// Whether the member currently has no partition.
    var isEmpty: Bool { state.withLock { $0.partitions.isEmpty } }

    /// Whether all assigned partitions are read to their end; false without partitions.
    func areAllAtEnd(lag: [TopicPartition: Int64]) -> Bool {
        state.withLock { state in !state.partitions.isEmpty && state.partitions.allSatisfy { lag[$0] == 0 } }
    }
}
