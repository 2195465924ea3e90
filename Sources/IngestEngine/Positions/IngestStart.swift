import CommandLineSupport
import Foundation
import KafkaWire
import PGWire

/// Where to begin: brings together what the database has and what the cluster has, and refuses what doesn't fit.
///
/// It never starts over and never skips in silence: a topic that was deleted and made again, a log that was cut back,
/// and messages that were deleted before they were read each end in a sentence that says so.
package struct IngestStart: Sendable {
    /// For each partition the offset that the database has.
    package let offsets: [TopicPartition: Int64]
    package let assignment: [TopicPartition: ConsumerStart]
    /// For each partition the end of its log at this moment.
    package let ends: [TopicPartition: Int64]
    /// The topics that the offsets belong to; zero on brokers before Kafka 2.8.
    package let topicIDs: [String: KafkaUUID]

    /// How many partitions each topic has.
    var partitionCounts: [String: Int] { offsets.keys.reduce(into: [:]) { $0[$1.topic, default: 0] += 1 } }

    /// The same once work is under way: a database or a broker that is away is waited for.
    ///
    /// - Parameter previous: Where the run has begun before.
    /// - Throws: As the other one; `Stopped`.
    package static func find(
        _ topics: TopicSelection, after previous: IngestStart, client: KafkaClient, offsets: OffsetStore,
        database: Database, stop: StopSignal, timing: Timing = Timing()
    ) async throws -> IngestStart {
        while true {
            do {
                return try await database.retrying { connection in
                    try await find(after: previous, offsets: offsets, connection: connection) {
                        try await lookUp(try await topics.resolve(client), client: client)
                    }
                }
            } catch let error as KafkaError where error.isRetriable && error.code != .unknownTopicOrPartition {
                if stop.isRequested { throw Stopped() }
                try await timing.sleep(client.configuration.retryBackoffMaximum)
            }
        }
    }

    /// What the cluster says of a topic.
    package struct Log: Sendable {
        fileprivate let topic: TopicDescription
        fileprivate let earliest: [TopicPartition: ListedOffset]
        fileprivate let latest: [TopicPartition: ListedOffset]
        /// The offsets that a new group begins at, by `auto.offset.reset`; nil with `none`.
        fileprivate let beginning: [TopicPartition: ListedOffset]?

        fileprivate var partitions: [TopicPartition] {
            topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.index) }
        }
        fileprivate var topicID: String? { topic.id == .zero ? nil : topic.id.description }
    }

    /// - Throws: `KafkaError`, with UNKNOWN_TOPIC_OR_PARTITION if there is no such topic.
    package static func lookUp(_ names: [String], client: KafkaClient) async throws -> [Log] {
        let topics = try await client.admin.describe(topics: names)
        let partitions = topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.index) }
        }
        func offsets(_ spec: OffsetSpec) async throws -> [TopicPartition: ListedOffset] {
            try await client.admin.listOffsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, spec) }))
        }
        let earliest = try await offsets(.earliest)
        let latest = try await offsets(.latest)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let reset = client.configuration.consumer.offsetReset.place(now: now)
        let beginning: [TopicPartition: ListedOffset]? =
            if let reset { try await offsets(reset) } else { nil }
        return topics.map { Log(topic: $0, earliest: earliest, latest: latest, beginning: beginning) }
    }

    /// Compares the logs with the database's offsets, and adds those of new partitions.
    ///
    /// - Parameters:
    ///   - previous: Where the run has begun before; nil for the first time. A topic that was not there then is read
    ///     from its beginning, whatever `auto.offset.reset` is: all of its messages were sent during the run.
    ///   - lookUp: Looks the logs up. Called again if offsets are beyond the ends that it gave.
    /// - Throws: `Failure` for what doesn't fit; `PostgresError`; what `lookUp` throws.
    package static func find(
        after previous: IngestStart? = nil, offsets store: OffsetStore, connection: PostgresConnection,
        lookUp: () async throws -> [Log]
    ) async throws -> IngestStart {
        var earlier: [TopicPartition: Int64] = [:]
        while true {
            do {
                return try await find(in: try await lookUp(), after: previous, earlier, store, connection)
            } catch let beyond as BeyondEnd {
                earlier = beyond.offsets
            }
        }
    }

    /// Offsets are beyond the ends of their logs. Either a log was cut back, or another consumer has read on since the
    /// ends were looked up.
    private struct BeyondEnd: Error {
        let offsets: [TopicPartition: Int64]
    }

    /// - Parameter earlier: Offsets that were read before the logs were looked up.
    private static func find(
        in logs: [Log], after previous: IngestStart?, _ earlier: [TopicPartition: Int64], _ store: OffsetStore,
        _ connection: PostgresConnection
    ) async throws -> IngestStart {
        let names = logs.map(\.topic.name)
        let entries = try await connection.transaction(prelude: Sink.transactionSettings) { session in
            let known = try store.entries(of: names, &session)
            // Before anything is written: a topic that isn't the one that was read leaves no trace.
            for log in logs {
                for entry in known where entry.partition.topic == log.topic.name {
                    let end = try check(entry, log, earlier: earlier[entry.partition], store)
                    guard entry.nextOffset <= end || earlier[entry.partition] != nil else {
                        throw BeyondEnd(offsets: Dictionary(known.map { ($0.partition, $0.nextOffset) }) { $1 })
                    }
                }
            }
            let places = Set(known.map(\.partition))
            // A row that was deleted during the run must not be added again: its messages would be read a second time.
            let expected = previous?.offsets.keys.filter { names.contains($0.topic) } ?? []
            if let gone = expected.filter({ !places.contains($0) }).min() { throw store.missing(gone) }
            for log in logs {
                let read = places.filter { $0.topic == log.topic.name }
                // A group that has begun wants all of the topic, and so a partition that came later from its beginning.
                guard let first = read.isEmpty && previous == nil ? log.beginning : log.earliest else {
                    throw Failure(
                        "group \(store.group) has no offsets for topic \(log.topic.name) in \(store.table), and "
                            + "auto.offset.reset is none: set it to earliest or latest, or insert the group's offsets",
                        status: .configuration)
                }
                try store.add(
                    log.partitions.filter { !read.contains($0) }.map { partition in
                        OffsetStore.Entry(
                            partition: partition, nextOffset: first[partition]?.offset ?? 0, topicID: log.topicID)
                    }, &session)
            }
            return try store.entries(of: names, &session)
        }
        var start: [TopicPartition: Int64] = [:]
        let topicIDs = Dictionary(logs.map { ($0.topic.name, $0.topic.id) }) { $1 }
        var assignment: [TopicPartition: ConsumerStart] = [:]
        for entry in entries {
            start[entry.partition] = entry.nextOffset
            assignment[entry.partition] = ConsumerStart(
                .offset(entry.nextOffset), leaderEpoch: entry.leaderEpoch ?? -1,
                topicID: topicIDs[entry.partition.topic] ?? .zero)
        }
        var ends: [TopicPartition: Int64] = [:]
        for log in logs { for partition in log.partitions { ends[partition] = log.latest[partition]?.offset } }
        return IngestStart(offsets: start, assignment: assignment, ends: ends, topicIDs: topicIDs)
    }

    /// - Parameter earlier: The partition's offset before the logs were looked up, if it is known.
    /// - Returns: The end of the log.
    private static func check(
        _ entry: OffsetStore.Entry, _ log: Log, earlier: Int64?, _ store: OffsetStore
    ) throws(Failure) -> Int64 {
        let (partition, topic) = (entry.partition, log.topic)
        if let id = entry.topicID, let topicID = log.topicID, id != topicID {
            throw mismatch(
                "topic \(topic.name) was deleted and made again since group \(store.group) read it: its id was "
                    + "\(id) and is \(topicID)", store)
        }
        guard let first = log.earliest[partition]?.offset, let end = log.latest[partition]?.offset else {
            throw mismatch(
                "the database has an offset for partition \(partition.partition) of topic \(topic.name), which has no "
                    + "such partition: it was deleted and made again", store)
        }
        if let earlier, earlier > end, entry.nextOffset > end {
            throw mismatch(
                "partition \(partition.partition) of topic \(topic.name) ends at offset \(end), before offset "
                    + "\(entry.nextOffset) where group \(store.group) goes on: its log was cut back", store)
        }
        if entry.nextOffset < first {
            throw mismatch(
                "partition \(partition.partition) of topic \(topic.name) begins at offset \(first), after offset "
                    + "\(entry.nextOffset) where group \(store.group) goes on: \(first.subtractingSaturated(entry.nextOffset)) "
                    + "messages were deleted before they were read", store)
        }
        return end
    }

    private static func mismatch(_ what: String, _ store: OffsetStore) -> Failure {
        Failure(
            "\(what); to go on all the same, correct the group's rows in \(store.table), or start another --group",
            status: .configuration)
    }
}
