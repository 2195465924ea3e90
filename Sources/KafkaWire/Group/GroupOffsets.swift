/// A group's offsets, as its coordinator keeps them.
struct GroupOffsets: Sendable {
    let cluster: Cluster
    let coordinator: GroupCoordinator
    let groupID: String
    let identity: GroupIdentity

    // MARK: Commit

    /// Commits offsets, with retries.
    ///
    /// A rebalance that goes on meanwhile is waited for, as long as the partitions are still this member's.
    ///
    /// - Parameters:
    ///   - membership: The `GroupIdentity.membership` that the offsets are of: under a later one nothing is committed.
    ///     Nil for one who isn't a member.
    ///   - areOwned: Whether the partitions are this member's.
    /// - Throws: ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID and the like where the member isn't one any more; the error of
    ///   the first partition that has one.
    func commit(
        _ offsets: [TopicPartition: OffsetAndMetadata], limit: Duration? = nil, membership: Int? = nil,
        areOwned: @escaping @Sendable () -> Bool = { true }
    ) async throws {
        guard !offsets.isEmpty else { return }
        try await cluster.retrying(limit: limit) {
            let (member, membershipNow) = identity.current
            guard membership == nil || membership == membershipNow else { throw notAMember }
            do {
                try await commitOnce(offsets, as: member)
            } catch let error as KafkaError where error.isFromBroker {
                switch error.code {
                case .rebalanceInProgress where areOwned(), .staleMemberEpoch where areOwned(): throw error.passing
                case _ where error.meansLostMembership:
                    let isJoining = await identity.wasRefused(error, member)
                    // The group went on to its next generation in between, and this member with it.
                    let next = identity.current
                    let hasJoined =
                        error.code == .illegalGeneration && next.metadata != member
                        && next.membership == membershipNow
                    throw (isJoining || hasJoined) && areOwned() ? error.passing : error
                default: throw error
                }
            }
        }
    }

    /// For who commits and has been put out already: a coordinator without members would take the offsets, over those
    /// of whoever had the partitions meanwhile.
    var notAMember: KafkaError {
        KafkaError(
            .unknownMemberId,
            "the consumer isn't a member of group \(groupID) any more: others may have its partitions")
    }

    private func commitOnce(
        _ offsets: [TopicPartition: OffsetAndMetadata], as member: ConsumerGroupMetadata
    ) async throws {
        let topics = try await described(Set(offsets.keys.map(\.topic)))
        let request = OffsetCommitRequest(
            groupId: groupID, generationIdOrMemberEpoch: member.generationID, memberId: member.memberID,
            groupInstanceId: member.groupInstanceID,
            topics: Dictionary(grouping: offsets, by: \.key.topic).sorted { $0.key < $1.key }.map { name, offsets in
                OffsetCommitRequest.Topic(
                    name: name, topicId: topics[name] ?? .zero,
                    partitions: offsets.sorted { $0.key < $1.key }.map { partition, offset in
                        OffsetCommitRequest.Partition(
                            partitionIndex: partition.partition, committedOffset: offset.offset,
                            committedLeaderEpoch: offset.leaderEpoch, committedMetadata: offset.metadata)
                    })
            })
        let response = try await call(request, byName: topics.values.contains(.zero), lastNamed: 9)
        let names = Dictionary(topics.map { ($0.value, $0.key) }) { first, _ in first }
        for topic in response.topics {
            for partition in topic.partitions {
                let code = ErrorCode(rawValue: partition.errorCode)
                guard code != .none else { continue }
                await coordinator.forget(after: code)
                throw KafkaError(
                    code, "the offset can't be committed for group \(groupID)", isFromBroker: true,
                    topic: topic.name.isEmpty ? names[topic.topicId] : topic.name, partition: partition.partitionIndex)
            }
        }
    }

    // MARK: Fetch

    /// The committed offsets of partitions, with retries; those without one are left out.
    ///
    /// Where a transaction that commits any of them isn't decided yet, its outcome is waited for (KIP-447).
    ///
    /// - Parameter asMember: Whether the member's epoch is sent along, as KIP-848 groups want it of their members.
    func fetch(
        _ partitions: some Collection<TopicPartition> & Sendable, asMember: Bool = false, limit: Duration? = nil
    ) async throws -> [TopicPartition: OffsetAndMetadata] {
        guard !partitions.isEmpty else { return [:] }
        return try await cluster.retrying(limit: limit) {
            do {
                return try await fetchOnce(partitions, as: asMember ? identity.metadata : nil)
            } catch let error as KafkaError where error.code == .staleMemberEpoch {
                throw error.passing
            }
        }
    }

    private func fetchOnce(
        _ partitions: some Collection<TopicPartition>, as member: ConsumerGroupMetadata?
    ) async throws -> [TopicPartition: OffsetAndMetadata] {
        let topics = try await described(Set(partitions.map(\.topic)))
        let byTopic = Dictionary(grouping: partitions, by: \.topic).mapValues { $0.map(\.partition).sorted() }
        let connection = try await coordinator.connection(role: .general)
        let version = try connection.version(for: OffsetFetchRequest.self)
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
        let response = try await call(request, byName: topics.values.contains(.zero), lastNamed: 9)
        let names = Dictionary(topics.map { ($0.value, $0.key) }) { first, _ in first }
        let failed = "the offsets of group \(groupID) can't be read"
        try await coordinator.check(response.groups.first?.errorCode ?? response.errorCode, failed)
        var found: [TopicPartition: OffsetAndMetadata] = [:]
        func take(_ topic: String?, _ index: Int32, _ code: Int16, _ offset: Int64, _ epoch: Int32, _ metadata: String?)
            throws(KafkaError)
        {
            let code = ErrorCode(rawValue: code)
            guard code == .none else {
                throw KafkaError(code, failed, isFromBroker: true, topic: topic, partition: index)
            }
            guard let topic, offset >= 0 else { return }
            found[TopicPartition(topic: topic, partition: index)] = OffsetAndMetadata(
                offset, leaderEpoch: epoch, metadata: metadata ?? "")
        }
        for topic in response.groups.first?.topics ?? [] {
            for one in topic.partitions {
                try take(
                    topic.name.isEmpty ? names[topic.topicId] : topic.name, one.partitionIndex, one.errorCode,
                    one.committedOffset, one.committedLeaderEpoch, one.metadata)
            }
        }
        for topic in response.topics {
            for one in topic.partitions {
                try take(
                    topic.name, one.partitionIndex, one.errorCode, one.committedOffset, one.committedLeaderEpoch,
                    one.metadata)
            }
        }
        return found
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

extension KafkaError {
    /// Whether the coordinator takes nothing from this member any more.
    var meansLostMembership: Bool {
        switch code {
        case .illegalGeneration, .unknownMemberId, .fencedInstanceId, .fencedMemberEpoch: true
        default: false
        }
    }

    /// The same error where it is known to pass.
    var passing: KafkaError {
        KafkaError(
            code, message, isFromBroker: isFromBroker, isRetriable: true, topic: topic, partition: partition,
            offset: offset)
    }
}
