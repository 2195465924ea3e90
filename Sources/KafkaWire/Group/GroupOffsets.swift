import Concurrency

/// Commits and fetches a group's offsets at its coordinator.
struct GroupOffsets: Sendable {
    let cluster: Cluster
    let coordinator: GroupCoordinator
    let groupID: String
    let identity: GroupIdentity

    // MARK: Commit

    /// Commits offsets, with retries.
    ///
    /// If the group is rebalancing, waits for the member's next generation while the member keeps the partitions.
    ///
    /// Does not commit offsets of a topic that was deleted and recreated. The coordinator compares the ids itself with
    /// OffsetCommit version 10 and later. With earlier versions this asks the coordinator for the ids right before the
    /// commit, so it misses a topic that is recreated between the two requests.
    ///
    /// - Parameters:
    ///   - membership: The `GroupIdentity.membership` that the offsets belong to; in a later membership nothing is
    ///     committed. nil if the consumer is not a member.
    ///   - final: Retriable errors that must not be retried.
    ///   - areOwned: Whether this member owns the partitions. Once it no longer does, nothing is sent: the coordinator
    ///     would accept the offsets from this member's next generation and move the next owner's offsets back.
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

    /// The error of a commit after the member lost its membership.
    ///
    /// Such a commit must not be sent: the coordinator of a group without members would accept it and overwrite the
    /// offsets of later owners.
    var notAMember: KafkaError {
        KafkaError(
            .unknownMemberId,
            "the consumer is no longer a member of group \(groupID): other members may own its partitions")
    }

    /// The error of a commit whose partitions were revoked before it succeeded.
    private var notTheOwner: KafkaError {
        KafkaError(
            .illegalGeneration,
            "group \(groupID) moved partitions to other members before their offsets were committed: their records may "
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
                    code, "could not commit the offset for group \(groupID)", isFromBroker: true, topic: name,
                    partition: partition.partitionIndex)
            }
        }
        // The coordinator does not know the id: its metadata is not up to date yet, or the topic was deleted.
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

    /// The committed offsets of partitions, with retries. Partitions without a committed offset are omitted.
    ///
    /// Waits until no transaction with a commit of these partitions is open (KIP-447).
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

    /// Fetches the committed offsets without retries.
    ///
    /// - Parameters:
    ///   - asMember: Whether to send the member's epoch, which KIP-848 groups require.
    ///   - topicIDs: The topic ids from the assignment; nil to look them up.
    ///   - identifies: Whether to determine which topic ids the offsets belong to.
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
            // The request has only topic names. The coordinator drops a topic's offsets with the topic, so the offsets
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
        let failed = "could not fetch the offsets of group \(groupID)"
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

    /// The topics' ids; `KafkaUUID.zero` if unknown.
    private func described(_ names: Set<String>) async throws -> [String: KafkaUUID] {
        var ids: [String: KafkaUUID] = [:]
        for name in names { ids[name] = await cluster.topic(name)?.id ?? .zero }
        guard ids.values.contains(.zero) else { return ids }
        // Ignore errors: offsets of a deleted topic can still be read and written by its name.
        _ = try? await cluster.refresh(topics: names.sorted())
        for name in names { ids[name] = await cluster.topic(name)?.id ?? .zero }
        return ids
    }

    /// - Parameters:
    ///   - byName: Whether to send topic names because an id is unknown.
    ///   - lastNamed: The last version of the request that has topic names.
    private func call<R: KafkaRequest>(
        _ request: R, byName: Bool, lastNamed: Int16
    ) async throws -> R.Response {
        let connection = try await coordinator.connection(role: .general)
        let highest = try connection.version(for: R.self)
        do {
            let response = try await connection.call(
                request, version: byName ? min(highest, lastNamed) : highest,
                timeout: cluster.configuration.requestTimeout, expectsResponse: true)
            guard let response else { throw KafkaError(.unknownServerError, "the coordinator sent no response") }
            return response
        } catch let error as KafkaError {
            await coordinator.forget(after: error.code)
            throw error
        }
    }
}
