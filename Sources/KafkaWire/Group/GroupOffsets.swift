import Concurrency

/// A group's offsets, as its coordinator keeps them.
struct GroupOffsets: Sendable {
    let cluster: Cluster
    let coordinator: GroupCoordinator
    let groupID: String
    let identity: GroupIdentity

    // MARK: Commit

    /// Commits offsets, with retries.
    ///
    /// If the group is rebalancing, waits for the member's next generation, as long as the partitions stay this member's.
    ///
    /// Offsets of a topic that was deleted and created again are not committed. From version 10 of OffsetCommit on the
    /// coordinator itself compares the ids. For earlier versions this asks the coordinator for the ids right before the
    /// commit, so a topic that is created again between the two requests is not noticed.
    ///
    /// - Parameters:
    ///   - membership: The `GroupIdentity.membership` that the offsets belong to: in a later one nothing is committed.
    ///     nil if the consumer is not a member.
    ///   - final: Retriable errors that must not be retried.
    ///   - areOwned: Whether the partitions are this member's. Once they no longer are, nothing is sent: the coordinator
    ///     would take the offsets from this member's next generation, and set the next owner back.
    func commit(
        _ offsets: [TopicPartition: TopicOffset], limit: Duration? = nil, membership: Int? = nil,
        final: Set<ErrorCode> = [], areOwned: @escaping @Sendable () -> Bool = { true }
    ) async -> CommitOutcome {
        guard !offsets.isEmpty else { return CommitOutcome() }
        let progress = Lock((pending: offsets, outcome: CommitOutcome()))
        let wereOwned = areOwned()
        do {
            try await cluster.retrying(
                operation: "commit offsets of group \(groupID)", final: final, limit: limit
            ) {
                let (member, membershipNow) = identity.current
                guard membership == nil || membership == membershipNow else { throw notAMember }
                guard !wereOwned || areOwned() else { throw notTheOwner }
                do {
                    let errors = try await commitOnce(progress.withLock { $0.pending }, as: member)
                    let failure = progress.withLock { progress in
                        progress.outcome.add(errors, to: &progress.pending)
                    }
                    if let failure { throw failure }
                } catch let error as KafkaError where error.isFromBroker {
                    let mayRepeat = await identity.mayRepeat(error, sentAs: member, membership: membershipNow)
                    throw mayRepeat && areOwned() ? error.passing : error
                }
            }
        } catch {
            progress.withLock { $0.outcome.failure = error }
        }
        return progress.withLock { $0.outcome }
    }

    /// The error for a commit after the member lost its membership: a coordinator without members would accept the
    /// offsets, and overwrite those of later owners.
    var notAMember: KafkaError {
        KafkaError(
            .unknownMemberId,
            "the consumer is no longer a member of group \(groupID): others may have its partitions")
    }

    /// The error for a commit whose partitions were given up before it succeeded.
    private var notTheOwner: KafkaError {
        KafkaError(
            .illegalGeneration,
            "group \(groupID) has moved partitions to other members before their offsets were committed: the records may "
                + "be processed again")
    }

    /// - Returns: The errors of the partitions whose offsets were not committed.
    private func commitOnce(
        _ offsets: [TopicPartition: TopicOffset], as member: ConsumerGroupMetadata
    ) async throws -> [TopicPartition: KafkaError] {
        let connection = try await coordinator.connection(role: .general)
        let unidentified = Set(offsets.filter { $0.value.topicID == .zero }.keys.map(\.topic))
        let described = try await described(unidentified)
        var topics: [TopicPartition: KafkaUUID] = [:]
        for (partition, offset) in offsets {
            topics[partition] = offset.topicID != .zero ? offset.topicID : described[partition.topic] ?? .zero
        }
        let sendsNames = topics.values.contains(.zero)
        let highest = try connection.version(for: OffsetCommitRequest.self)
        let expected = offsets.mapValues(\.topicID)
        var errors: [TopicPartition: KafkaError] = [:]
        if sendsNames || highest < 10 { errors = try await mismatches(expected, over: connection) }
        let sent = topics.filter { errors[$0.key] == nil }
        guard !sent.isEmpty else { return errors }
        let request = OffsetCommitRequest(
            groupId: groupID, generationIdOrMemberEpoch: member.generationID, memberId: member.memberID,
            groupInstanceId: member.groupInstanceID, topics: Self.topics(offsets, sent))
        let response = try await call(request, byName: sendsNames, lastNamed: 9)
        let names = Dictionary(sent.map { ($0.value, $0.key.topic) }) { first, _ in first }
        for topic in response.topics {
            for partition in topic.partitions {
                let code = ErrorCode(rawValue: partition.errorCode)
                guard code != .none, let name = topic.name.isEmpty ? names[topic.topicId] : topic.name else { continue }
                await coordinator.forget(after: code)
                errors[TopicPartition(topic: name, partition: partition.partitionIndex)] = KafkaError(
                    code, "the offset can't be committed for group \(groupID)", isFromBroker: true, topic: name,
                    partition: partition.partitionIndex)
            }
        }
        // The coordinator does not know the id: either it has not yet heard of the topic, or the topic is gone.
        let unknown = expected.filter { errors[$0.key]?.code == .unknownTopicId }
        return errors.merging(try await mismatches(unknown, over: connection)) { $1 }
    }

    private func mismatches(
        _ expected: [TopicPartition: KafkaUUID], over connection: NegotiatedConnection
    ) async throws -> [TopicPartition: KafkaError] {
        try await TopicIdentity.mismatches(
            expected, over: connection, timeout: cluster.configuration.requestTimeout)
    }

    private static func topics(
        _ offsets: [TopicPartition: TopicOffset], _ ids: [TopicPartition: KafkaUUID]
    ) -> [OffsetCommitRequest.Topic] {
        struct Key: Hashable {
            let name: String
            let id: KafkaUUID
        }
        let byTopic = Dictionary(grouping: ids.keys) { Key(name: $0.topic, id: ids[$0] ?? .zero) }
        return byTopic.sorted { $0.key.name < $1.key.name }.map { topic, partitions in
            OffsetCommitRequest.Topic(
                name: topic.name, topicId: topic.id,
                partitions: partitions.sorted().compactMap { partition in
                    guard let offset = offsets[partition]?.offset else { return nil }
                    return OffsetCommitRequest.Partition(
                        partitionIndex: partition.partition, committedOffset: offset.offset,
                        committedLeaderEpoch: offset.leaderEpoch, committedMetadata: offset.metadata)
                })
        }
    }

    // MARK: Fetch

    /// The result of an OffsetFetch. Partitions without a committed offset are in neither dictionary.
    struct Fetched: Sendable {
        var offsets: [TopicPartition: OffsetAndMetadata] = [:]
        var errors: [TopicPartition: KafkaError] = [:]
        /// The topics that the offsets belong to, by name; zero if unknown.
        var topicIDs: [String: KafkaUUID] = [:]
    }

    /// The committed offsets of partitions, with retries. Partitions without one are omitted.
    ///
    /// Waits for the end of transactions that commit any of them (KIP-447).
    func fetch(
        _ partitions: some Collection<TopicPartition> & Sendable, limit: Duration? = nil
    ) async throws -> [TopicPartition: OffsetAndMetadata] {
        guard !partitions.isEmpty else { return [:] }
        return try await cluster.retrying(operation: "fetch the committed offsets of group \(groupID)", limit: limit) {
            let fetched = try await fetchOnce(partitions, asMember: false)
            if let first = fetched.errors.min(by: { $0.key < $1.key }) { throw first.value }
            return fetched.offsets
        }
    }

    /// Asks for the committed offsets once.
    ///
    /// - Parameters:
    ///   - asMember: Whether to send the member's epoch, as members of KIP-848 groups have to.
    ///   - topicIDs: The topics' ids as the assignment has them; nil to look them up.
    ///   - identifies: Whether to find out which topics the offsets belong to.
    /// - Throws: The error of the whole request.
    func fetchOnce(
        _ partitions: some Collection<TopicPartition>, asMember: Bool, topicIDs: [String: KafkaUUID]? = nil,
        identifies: Bool = false
    ) async throws -> Fetched {
        do {
            return try await fetchOnce(
                partitions, as: asMember ? identity.metadata : nil, topicIDs, identifies: identifies)
        } catch let error as KafkaError where error.code == .staleMemberEpoch {
            throw error.passing
        }
    }

    private func fetchOnce(
        _ partitions: some Collection<TopicPartition>, as member: ConsumerGroupMetadata?,
        _ assigned: [String: KafkaUUID]?, identifies: Bool
    ) async throws -> Fetched {
        let topicNames = Set(partitions.map(\.topic))
        var topics = assigned ?? [:]
        if assigned == nil { topics = try await described(topicNames) }
        let byTopic = Dictionary(grouping: partitions, by: \.topic).mapValues { $0.map(\.partition).sorted() }
        let connection = try await coordinator.connection(role: .general)
        let version = try connection.version(for: OffsetFetchRequest.self)
        let byName = topicNames.contains { topics[$0] ?? .zero == .zero }
        var owners = topics
        if identifies, assigned == nil, byName || version < 10 {
            // The request names the topics only. The coordinator drops a topic's offsets with the topic, so the offsets
            // belong to the topics that it knows now, or to later ones.
            owners = try await TopicIdentity.current(
                topicNames, over: connection, timeout: cluster.configuration.requestTimeout)
        }
        var request = OffsetFetchRequest(requireStable: version >= 7)
        if version >= 8 {
            let wanted = byTopic.map { name, indices in
                OffsetFetchRequest.GroupTopic(name: name, topicId: topics[name] ?? .zero, partitionIndexes: indices)
            }
            request.groups = [
                OffsetFetchRequest.Group(
                    groupId: groupID, memberId: version >= 9 ? member?.memberID : nil,
                    memberEpoch: version >= 9 ? member?.generationID ?? -1 : -1, topics: wanted)
            ]
        } else {
            request.groupId = groupID
            request.topics = byTopic.map { OffsetFetchRequest.Topic(name: $0, partitionIndexes: $1) }
        }
        let response = try await call(request, byName: byName, lastNamed: 9)
        let names = Dictionary(topics.map { ($0.value, $0.key) }) { first, _ in first }
        let failed = "the offsets of group \(groupID) can't be read"
        try await coordinator.check(response.groups.first?.errorCode ?? response.errorCode, failed)
        var fetched = Fetched(topicIDs: owners)
        func take(_ topic: String?, _ index: Int32, _ code: Int16, _ offset: Int64, _ epoch: Int32, _ metadata: String?)
        {
            guard let topic else { return }
            let (partition, code) = (TopicPartition(topic: topic, partition: index), ErrorCode(rawValue: code))
            if code != .none {
                fetched.errors[partition] = KafkaError(
                    code, failed, isFromBroker: true, topic: topic, partition: index)
            } else if offset >= 0 {
                fetched.offsets[partition] = OffsetAndMetadata(offset, leaderEpoch: epoch, metadata: metadata ?? "")
            }
        }
        for topic in response.groups.first?.topics ?? [] {
            for one in topic.partitions {
                take(
                    topic.name.isEmpty ? names[topic.topicId] : topic.name, one.partitionIndex, one.errorCode,
                    one.committedOffset, one.committedLeaderEpoch, one.metadata)
            }
        }
        for topic in response.topics {
            for one in topic.partitions {
                take(
                    topic.name, one.partitionIndex, one.errorCode, one.committedOffset, one.committedLeaderEpoch,
                    one.metadata)
            }
        }
        return fetched
    }

    // MARK: Topics by name and by id

    /// The topics' ids; `KafkaUUID.zero` for those of which none is known.
    private func described(_ names: Set<String>) async throws -> [String: KafkaUUID] {
        var ids: [String: KafkaUUID] = [:]
        for name in names { ids[name] = await cluster.topic(name)?.id ?? .zero }
        guard ids.values.contains(.zero) else { return ids }
        // Offsets of a topic that is gone can be read and written by its name.
        _ = try? await cluster.refresh(topics: names.sorted())
        for name in names { ids[name] = await cluster.topic(name)?.id ?? .zero }
        return ids
    }

    /// - Parameters:
    ///   - byName: Whether a topic's name has to be sent, since its id isn't known.
    ///   - lastNamed: The last version that has names.
    private func call<R: KafkaRequest>(
        _ request: R, byName: Bool, lastNamed: Int16
    ) async throws -> R.Response {
        let connection = try await coordinator.connection(role: .general)
        let highest = try connection.version(for: R.self)
        do {
            let response = try await connection.call(
                request, version: byName ? min(highest, lastNamed) : highest,
                timeout: cluster.configuration.requestTimeout, expectsResponse: true)
            guard let response else { throw KafkaError(.unknownServerError, "the coordinator gave no answer") }
            return response
        } catch let error as KafkaError {
            await coordinator.forget(after: error.code)
            throw error
        }
    }
}
