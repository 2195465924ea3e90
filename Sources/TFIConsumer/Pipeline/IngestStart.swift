import CommandLineSupport
import Foundation
import KafkaWire
import PGWire

/// Where to begin: brings together what the database has and what the cluster has, and refuses what doesn't fit.
///
/// It never starts over and never skips in silence: a topic that was deleted and made again, a log that was cut back,
/// and messages that were deleted before they were read each end in a sentence that says so.
struct IngestStart: Sendable {
    /// For each partition the offset that the database has.
    let offsets: [Int32: Int64]
    let assignment: [TopicPartition: ConsumerStart]
    /// For each partition the end of its log at this moment.
    let ends: [Int32: Int64]
    /// The topic that the offsets belong to; zero on brokers before Kafka 2.8.
    let topicID: KafkaUUID

    /// The same once work is under way: a database or a broker that is away is waited for.
    ///
    /// - Throws: As the other one; `Stopped`.
    static func find(
        _ topic: String, client: KafkaClient, offsets: OffsetStore, database: Database, stop: StopSignal,
        timing: Timing = Timing()
    ) async throws -> IngestStart {
        while true {
            do {
                return try await database.retrying { connection in
                    let log = try await lookUp(topic, client: client)
                    return try await find(in: log, offsets: offsets, connection: connection)
                }
            } catch let error as KafkaError where error.isRetriable && error.code != .unknownTopicOrPartition {
                if stop.isRequested { throw Stopped() }
                try await timing.sleep(client.configuration.retryBackoffMaximum)
            }
        }
    }

    /// What the cluster says of a topic.
    struct Log: Sendable {
        fileprivate let topic: TopicDescription
        fileprivate let earliest: [TopicPartition: ListedOffset]
        fileprivate let latest: [TopicPartition: ListedOffset]
        /// Where a new group begins, by `auto.offset.reset`; nil with `none`.
        fileprivate let beginning: [TopicPartition: ListedOffset]?
    }

    /// - Throws: `KafkaError`, with UNKNOWN_TOPIC_OR_PARTITION if there is no such topic.
    static func lookUp(_ name: String, client: KafkaClient) async throws -> Log {
        let topic = try await client.admin.describe(topics: [name])[0]
        let partitions = topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.index) }
        func offsets(_ spec: OffsetSpec) async throws -> [TopicPartition: ListedOffset] {
            try await client.admin.listOffsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, spec) }))
        }
        let earliest = try await offsets(.earliest)
        let latest = try await offsets(.latest)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let reset = client.configuration.consumer.offsetReset.place(now: now)
        let beginning: [TopicPartition: ListedOffset]? =
            if let reset { try await offsets(reset) } else { nil }
        return Log(topic: topic, earliest: earliest, latest: latest, beginning: beginning)
    }

    /// Compares the log with the database's offsets, and adds those of new partitions.
    ///
    /// - Throws: `Failure` for what doesn't fit; `PostgresError`.
    static func find(
        in log: Log, offsets store: OffsetStore, connection: PostgresConnection
    ) async throws -> IngestStart {
        let (topic, earliest, latest, beginning) = (log.topic, log.earliest, log.latest, log.beginning)
        let partitions = topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.index) }
        let topicID = topic.id == .zero ? nil : topic.id.description
        let entries = try await connection.transaction(prelude: Sink.transactionSettings) { session in
            let known = try store.entries(&session)
            // Before anything is written: a topic that isn't the one that was read leaves no trace.
            for entry in known {
                try check(entry, topic, topicID, earliest: earliest, latest: latest, store)
            }
            // A group that has begun wants all of the topic, and so a partition that came later from its beginning.
            guard let first = known.isEmpty ? beginning : earliest else {
                throw Failure(
                    "group \(store.group) has no offsets for topic \(topic.name) in \(store.table), and "
                        + "auto.offset.reset is none: set it to earliest or latest, or insert the group's offsets",
                    status: .configuration)
            }
            let new = partitions.filter { partition in !known.contains { $0.partition == partition.partition } }
            try store.add(
                new.map { partition in
                    OffsetStore.Entry(
                        partition: partition.partition, nextOffset: first[partition]?.offset ?? 0, topicID: topicID)
                }, &session)
            return try store.entries(&session)
        }
        var start: [Int32: Int64] = [:]
        var assignment: [TopicPartition: ConsumerStart] = [:]
        for entry in entries {
            start[entry.partition] = entry.nextOffset
            assignment[TopicPartition(topic: topic.name, partition: entry.partition)] = ConsumerStart(
                .offset(entry.nextOffset), leaderEpoch: entry.leaderEpoch ?? -1, topicID: topic.id)
        }
        let ends = Dictionary(latest.map { ($0.key.partition, $0.value.offset) }) { $1 }
        return IngestStart(offsets: start, assignment: assignment, ends: ends, topicID: topic.id)
    }

    private static func check(
        _ entry: OffsetStore.Entry, _ topic: TopicDescription, _ topicID: String?,
        earliest: [TopicPartition: ListedOffset], latest: [TopicPartition: ListedOffset], _ store: OffsetStore
    ) throws(Failure) {
        let partition = TopicPartition(topic: topic.name, partition: entry.partition)
        if let id = entry.topicID, let topicID, id != topicID {
            throw mismatch(
                "topic \(topic.name) was deleted and made again since group \(store.group) read it: its id was "
                    + "\(id) and is \(topicID)", store)
        }
        guard let first = earliest[partition]?.offset, let end = latest[partition]?.offset else {
            throw mismatch(
                "the database has an offset for partition \(entry.partition) of topic \(topic.name), which has no "
                    + "such partition: it was deleted and made again", store)
        }
        if entry.nextOffset > end {
            throw mismatch(
                "partition \(entry.partition) of topic \(topic.name) ends at offset \(end), before offset "
                    + "\(entry.nextOffset) where group \(store.group) goes on: its log was cut back", store)
        }
        if entry.nextOffset < first {
            throw mismatch(
                "partition \(entry.partition) of topic \(topic.name) begins at offset \(first), after offset "
                    + "\(entry.nextOffset) where group \(store.group) goes on: \(first.subtractingSaturated(entry.nextOffset)) "
                    + "messages were deleted before they were read", store)
        }
    }

    private static func mismatch(_ what: String, _ store: OffsetStore) -> Failure {
        Failure(
            "\(what); to go on all the same, correct the group's rows in \(store.table), or start another --group",
            status: .configuration)
    }
}
