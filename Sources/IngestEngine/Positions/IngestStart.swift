import CommandLineSupport
import Foundation
import KafkaWire
import PGWire

/// The positions at which to start reading partitions: compares the database's offsets with the cluster's logs.
///
/// It never starts over and never skips messages silently. A topic that was deleted and recreated, a truncated log,
/// and messages that were deleted before they were read each fail their partition with an error that says so.
public struct IngestStart: Sendable {
    /// The stored offset per partition.
    public fileprivate(set) var offsets: [TopicPartition: Int64] = [:]
    /// The consumer's start per partition.
    public fileprivate(set) var assignment: [TopicPartition: ConsumerStart] = [:]
    /// The end of the log per partition at the time of the lookup.
    public fileprivate(set) var ends: [TopicPartition: Int64] = [:]
    /// The ids of the topics; zero with brokers before Kafka 2.8.
    public fileprivate(set) var topicIDs: [String: KafkaUUID] = [:]
    /// The errors of the partitions that can't be read.
    public fileprivate(set) var failures: [TopicPartition: any Error & Sendable] = [:]
    /// The number of partitions per topic.
    public fileprivate(set) var partitionCounts: [String: Int] = [:]

    /// The failure of the lowest partition; nil if nothing has failed.
    public var firstFailure: (any Error)? { failures.min { $0.key < $1.key }?.value }

    /// The partitions' positions for a ledger.
    var positions: [TopicPartition: PartitionLedger.Position] {
        var positions: [TopicPartition: PartitionLedger.Position] = [:]
        for (partition, offset) in offsets {
            positions[partition] = .init(offset: offset, topicID: topicIDs[partition.topic] ?? .zero)
        }
        return positions
    }

    /// Finds the positions of some partitions under a lock in the database, which waits for a previous owner's commit
    /// in progress. Waits while the database is unreachable.
    ///
    /// - Parameter known: Partitions whose offsets this run has read before. If one has no row now, the row was
    ///   deleted.
    /// - Throws: A retriable `KafkaError`; `PostgresError`; `Stopped`; `Failure` for a deleted row.
    static func find(
        _ wanted: Set<TopicPartition>, known: Set<TopicPartition>, client: KafkaClient, offsets: OffsetStore,
        database: Database
    ) async throws -> IngestStart {
        let names = Set(wanted.map(\.topic)).sorted()
        return try await database.retrying { connection in
            var failures: [String: KafkaError] = [:]
            var start = try await find(
                of: wanted, known: known, locking: true, offsets: offsets, connection: connection
            ) {
                let (logs, missing) = try await lookUpEach(names, client: client)
                failures = missing
                return logs
            }
            for partition in wanted { if let error = failures[partition.topic] { start.failures[partition] = error } }
            return start
        }
    }

    /// Looks up topics one by one if necessary, so that one topic's error doesn't affect the others.
    ///
    /// - Returns: The logs that were found, and the errors of the other topics.
    public static func lookUpEach(
        _ names: [String], client: KafkaClient
    ) async throws -> (logs: [Log], failures: [String: KafkaError]) {
        do {
            return (try await lookUp(names, client: client), [:])
        } catch let error as KafkaError where error.isTopicError {
            guard names.count > 1 else { return ([], Dictionary(names.map { ($0, error) }) { $1 }) }
        }
        var (logs, failures): ([Log], [String: KafkaError]) = ([], [:])
        for name in names {
            let (found, missing) = try await lookUpEach([name], client: client)
            logs += found
            failures.merge(missing) { $1 }
        }
        return (logs, failures)
    }

    /// A topic's partitions and offsets in the cluster.
    public struct Log: Sendable {
        public let topic: TopicDescription
        public let earliest: [TopicPartition: ListedOffset]
        public let latest: [TopicPartition: ListedOffset]
        /// The offsets at which a new group starts by `auto.offset.reset`; nil for `none`.
        fileprivate let beginning: [TopicPartition: ListedOffset]?

        fileprivate var partitions: [TopicPartition] {
            topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.partition) }
        }
        fileprivate var topicID: String? { topic.id == .zero ? nil : topic.id.description }
    }

    /// Looks up topics and their offsets.
    ///
    /// - Throws: `KafkaError`; UNKNOWN_TOPIC_OR_PARTITION if a topic doesn't exist.
    public static func lookUp(_ names: [String], client: KafkaClient) async throws -> [Log] {
        try await logs(of: try await client.admin.describe(topics: names), client: client)
    }

    /// Looks up the offsets of topics.
    ///
    /// - Throws: `KafkaError`.
    public static func logs(of topics: [TopicDescription], client: KafkaClient) async throws -> [Log] {
        let partitions = topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.partition) }
        }
        func offsets(_ spec: OffsetSpec) async throws -> [TopicPartition: ListedOffset] {
            try await client.admin.listOffsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, spec) }))
        }
        let earliest = try await offsets(.earliest)
        let latest = try await offsets(.latest)
        let reset = client.configuration.consumer.offsetReset.place(now: .now)
        let beginning: [TopicPartition: ListedOffset]? =
            switch reset {
            case nil: nil
            case .earliest: earliest
            case .latest: latest
            case .some(let place): try await offsets(place)
            }
        return topics.map { Log(topic: $0, earliest: earliest, latest: latest, beginning: beginning) }
    }

    /// Compares the logs with the stored offsets, and adds offsets for new partitions.
    ///
    /// - Parameters:
    ///   - wanted: The partitions to compare; nil for all, at the start of a run. A topic that is new to the group
    ///     then starts by `auto.offset.reset`. Offsets of new partitions are added for the whole topic, so that all
    ///     members of a new group start from the same lookup.
    ///   - known: Partitions whose offsets this run has read before. A deleted row of theirs must not be added again,
    ///     or messages would be read twice.
    ///   - isLocking: Whether to wait for other writers that are moving the offsets.
    ///   - lookUp: Looks up the logs. Called again if stored offsets are beyond the ends that it returned.
    /// - Throws: `PostgresError`; `Failure` for a deleted row; errors of `lookUp`.
    public static func find(
        of wanted: Set<TopicPartition>? = nil, known: Set<TopicPartition> = [], locking isLocking: Bool = false,
        offsets store: OffsetStore, connection: PostgresConnection, lookUp: () async throws -> [Log]
    ) async throws -> IngestStart {
        var earlier: [TopicPartition: Int64] = [:]
        while true {
            let logs = try await lookUp()
            do {
                let before = earlier
                let (entries, failures) = try await connection.transaction(
                    prelude: Sink.transactionSettings
                ) { session in
                    try readEntries(logs, wanted, known, isLocking, before, store, &session)
                }
                return IngestStart(logs, entries, failures)
            } catch let beyond as BeyondEnd {
                earlier = beyond.offsets
            }
        }
    }

    /// Some offsets are beyond the ends of their logs. Either a log was truncated, or another consumer has advanced
    /// since the lookup.
    private struct BeyondEnd: Error {
        let offsets: [TopicPartition: Int64]
    }

    private init(
        _ logs: [Log], _ entries: [OffsetStore.Entry], _ failures: [TopicPartition: any Error & Sendable]
    ) {
        topicIDs = Dictionary(logs.map { ($0.topic.name, $0.topic.id) }) { $1 }
        for log in logs {
            partitionCounts[log.topic.name] = log.topic.partitions.count
            for partition in log.partitions { ends[partition] = log.latest[partition]?.offset }
        }
        for entry in entries {
            offsets[entry.partition] = entry.nextOffset
            assignment[entry.partition] = ConsumerStart(
                .offset(entry.nextOffset), leaderEpoch: entry.leaderEpoch ?? -1,
                topicID: topicIDs[entry.partition.topic] ?? .zero)
        }
        self.failures = failures
    }

    /// The offsets of the readable partitions, and the errors of the others.
    ///
    /// - Parameter earlier: Offsets that were read before the last lookup of the logs.
    /// - Throws: `BeyondEnd` if the logs must be looked up again.
    private static func readEntries(
        _ logs: [Log], _ wanted: Set<TopicPartition>?, _ known: Set<TopicPartition>, _ isLocking: Bool,
        _ earlier: [TopicPartition: Int64], _ store: OffsetStore, _ session: inout PostgresSession
    ) throws -> ([OffsetStore.Entry], [TopicPartition: any Error & Sendable]) {
        let names = logs.map(\.topic.name)
        let stored = try store.entries(of: names, &session)
        let places = Set(stored.map(\.partition))
        let gone = known.filter { partition in
            names.contains(partition.topic) && wanted?.contains(partition) ?? true && !places.contains(partition)
        }
        if let gone = gone.min() { throw store.missing(gone) }
        var failures: [TopicPartition: any Error & Sendable] = [:]
        for log in logs {
            let found = check(log, stored.filter { $0.partition.topic == log.topic.name }, wanted, store)
            // Don't add rows for a topic that was recreated.
            if found.isEmpty { try addNewPartitions(of: log, stored, isStart: wanted == nil, store, &session) }
            failures.merge(found) { $1 }
        }
        let present = Set(logs.flatMap(\.partitions))
        let readable = (wanted ?? present).intersection(present).subtracting(failures.keys)
        let entries =
            isLocking
            ? try store.lockedEntries(of: readable, &session)
            : try store.entries(of: names, &session).filter { readable.contains($0.partition) }
        let logOfTopic = Dictionary(logs.map { ($0.topic.name, $0) }) { $1 }
        for entry in entries {
            guard let log = logOfTopic[entry.partition.topic] else { continue }
            let end: Int64
            do throws(Failure) {
                end = try checkOffset(entry, log, earlier: earlier[entry.partition], store)
            } catch {
                failures[entry.partition] = error
                continue
            }
            if entry.nextOffset > end {
                throw BeyondEnd(offsets: Dictionary(entries.map { ($0.partition, $0.nextOffset) }) { $1 })
            }
        }
        return (entries.filter { failures[$0.partition] == nil }, failures)
    }

    /// The errors of partitions that differ from those that the group has read, such as those of a recreated topic.
    private static func check(
        _ log: Log, _ stored: [OffsetStore.Entry], _ wanted: Set<TopicPartition>?, _ store: OffsetStore
    ) -> [TopicPartition: any Error & Sendable] {
        var failures: [TopicPartition: any Error & Sendable] = [:]
        let partitions = Set(log.partitions)
        for entry in stored where wanted?.contains(entry.partition) ?? true {
            if let id = entry.topicID, let topicID = log.topicID, id != topicID {
                failures[entry.partition] = mismatch(recreated(log.topic.name, was: id, isNow: topicID, store), store)
            } else if !partitions.contains(entry.partition), entry.topicID == nil || log.topicID == nil {
                // A topic never loses partitions, so if its id is unchanged the broker just doesn't know this
                // partition yet.
                failures[entry.partition] = mismatch(
                    "the database has an offset for partition \(entry.partition.partition) of topic \(log.topic.name), "
                        + "which has no such partition: the topic was deleted and recreated", store)
            }
        }
        let new = partitions.subtracting(stored.map(\.partition)).filter { wanted?.contains($0) ?? true }
        if stored.isEmpty, wanted == nil, log.beginning == nil {
            for partition in new {
                failures[partition] = Failure(
                    "group \(store.group) has no offsets for topic \(log.topic.name) in \(store.table), and "
                        + "auto.offset.reset is none: set it to earliest or latest, or insert the group's offsets",
                    status: .configuration)
            }
        } else if let id = log.topicID, let other = stored.lazy.compactMap(\.topicID).first(where: { $0 != id }) {
            let failure = mismatch(recreated(log.topic.name, was: other, isNow: id, store), store)
            for partition in new { failures[partition] = failure }
        }
        return failures
    }

    private static func addNewPartitions(
        of log: Log, _ known: [OffsetStore.Entry], isStart: Bool, _ store: OffsetStore,
        _ session: inout PostgresSession
    ) throws(PostgresError) {
        let read = Set(known.map(\.partition).filter { $0.topic == log.topic.name })
        // An established group reads later partitions and topics from their beginning.
        guard let first = read.isEmpty && isStart ? log.beginning : log.earliest else { return }
        try store.add(
            log.partitions.filter { !read.contains($0) }.map { partition in
                OffsetStore.Entry(
                    partition: partition, nextOffset: first[partition]?.offset ?? 0, topicID: log.topicID)
            }, &session)
    }

    private static func recreated(_ topic: String, was: String, isNow: String, _ store: OffsetStore) -> String {
        "topic \(topic) was deleted and recreated since group \(store.group) read it: its id was \(was) and is \(isNow)"
    }

    /// Checks that the log has an entry's offset.
    ///
    /// - Parameter earlier: The partition's offset before the last lookup of the logs; nil if unknown.
    /// - Returns: The end of the log. If the offset is beyond it, the logs must be looked up again.
    /// - Throws: `Failure` if the log doesn't have the offset.
    private static func checkOffset(
        _ entry: OffsetStore.Entry, _ log: Log, earlier: Int64?, _ store: OffsetStore
    ) throws(Failure) -> Int64 {
        let (partition, topic) = (entry.partition, log.topic)
        guard let first = log.earliest[partition]?.offset, let end = log.latest[partition]?.offset else {
            throw mismatch("partition \(partition.partition) of topic \(topic.name) was deleted", store)
        }
        if let earlier, earlier > end, entry.nextOffset > end {
            throw mismatch(
                "partition \(partition.partition) of topic \(topic.name) ends at offset \(end), before offset "
                    + "\(entry.nextOffset) where group \(store.group) continues: its log was truncated", store)
        }
        if entry.nextOffset < first {
            throw mismatch(
                "partition \(partition.partition) of topic \(topic.name) begins at offset \(first), after offset "
                    + "\(entry.nextOffset) where group \(store.group) continues: "
                    + "\(first.subtractingSaturated(entry.nextOffset)) messages were deleted before they were read",
                store)
        }
        return end
    }

    private static func mismatch(_ what: String, _ store: OffsetStore) -> Failure {
        Failure(
            "\(what); to continue anyway, correct the group's rows in \(store.table), or start another --group",
            status: .configuration)
    }
}

extension KafkaError {
    /// Whether the error concerns only the topic, so that other topics can be read.
    fileprivate var isTopicError: Bool {
        switch code {
        case .unknownTopicOrPartition, .unknownTopicId, .topicAuthorizationFailed, .invalidTopicException: true
        default: false
        }
    }
}
