import Concurrency

extension Cluster {
    /// Looks up offsets of partitions at their leaders, with retries.
    ///
    /// - Parameters:
    ///   - isolation: With `readCommitted` the end is the last stable offset, and only records before it are
    ///     considered.
    ///   - limit: The time limit of the call; `default.api.timeout.ms` if nil.
    /// - Returns: An offset for each partition. A timestamp after all records gives the end of the log.
    /// - Throws: `KafkaError` for the first partition whose lookup fails, with its topic and number.
    package nonisolated func listOffsets(
        _ specs: [TopicPartition: OffsetSpec], isolation: IsolationLevel = .readUncommitted, limit: Duration? = nil
    ) async throws -> [TopicPartition: ListedOffset] {
        var known: [TopicPartition: ListedOffset] = [:]
        for (partition, spec) in specs {
            if case .offset(let offset) = spec {
                known[partition] = ListedOffset(offset: offset)
            }
        }
        let topics = Set(specs.keys.map(\.topic)).sorted()
        // Kept across attempts, so that a retry requests only the missing offsets.
        let found = Lock(known)
        let ends = Lock<[TopicPartition: ListedOffset]>([:])
        return try await retrying(operation: "list offsets of \(topics.briefly)", topics: topics, limit: limit) {
            _ = try await self.describe(topics: topics)
            try await self.findOffsets(specs, isolation, into: found)
            let offsets = found.withLock { $0 }
            // No record has this timestamp or a later one: return the end of the log.
            let beyondEnd = offsets.filter { entry in
                if case .timestamp = specs[entry.key] { entry.value.offset < 0 } else { false }
            }.mapValues { _ in OffsetSpec.latest }
            try await self.findOffsets(beyondEnd, isolation, into: ends)
            return offsets.merging(ends.withLock { $0 }) { $1 }
        }
    }

    /// Requests the offsets that aren't in `found` yet from their leaders, once.
    private nonisolated func findOffsets(
        _ specs: [TopicPartition: OffsetSpec], _ isolation: IsolationLevel,
        into found: borrowing Lock<[TopicPartition: ListedOffset]>
    ) async throws {
        let missing = found.withLock { found in specs.filter { found[$0.key] == nil } }
        guard !missing.isEmpty else { return }
        var byLeader: [Int32: [TopicPartition]] = [:]
        let leaders = await leaders(of: Array(missing.keys))
        for partition in missing.keys {
            guard let leader = leaders[partition] else { throw await noLeaderError(partition) }
            byLeader[leader.node, default: []].append(partition)
        }
        for (node, partitions) in byLeader {
            let asked = Dictionary(uniqueKeysWithValues: partitions.map { ($0, missing[$0] ?? .latest) })
            let (offsets, error) = try await requestOffsets(node, asked, isolation, leaders.mapValues(\.epoch))
            found.withLock { $0.merge(offsets) { $1 } }
            if let error { throw error }
        }
    }

    /// The error for a partition without a leader, or one that the topic doesn't have.
    private func noLeaderError(_ partition: TopicPartition) -> KafkaError {
        let exists = topic(partition.topic)?.partition(partition.partition) != nil
        return KafkaError(
            exists ? .leaderNotAvailable : .unknownTopicOrPartition,
            exists ? "the partition has no leader at the moment" : "the topic has no such partition",
            topic: partition.topic, partition: partition.partition)
    }

    private nonisolated func requestOffsets(
        _ node: Int32, _ specs: [TopicPartition: OffsetSpec], _ isolation: IsolationLevel,
        _ epochs: [TopicPartition: Int32]
    ) async throws -> ([TopicPartition: ListedOffset], KafkaError?) {
        let answers = try await leaderOffsets(of: specs, ledBy: node, isolation, epochs)
        var offsets: [TopicPartition: ListedOffset] = [:]
        var failure: KafkaError?
        for (key, answer) in answers.sorted(by: { $0.key < $1.key }) {
            switch answer {
            case .success(let listed): offsets[key] = listed
            case .failure(let error): failure = failure ?? error
            }
        }
        return (offsets, failure)
    }
}
