import Concurrency

/// The requests of a transactional producer to the coordinators of its transactional id and of groups, with retries.
///
/// Sources: KIP-98, KIP-360, KIP-447, KIP-890.
final class CoordinatorCalls: Sendable {
    private let cluster: Cluster
    private struct State {
        var connections: [Coordinated: NegotiatedConnection] = [:]
        /// The cluster's features, from the last connection to a coordinator.
        var features: [String: Int16] = [:]
    }

    /// Guards the connections to coordinators and their features.
    private let state = Lock(State())

    init(cluster: Cluster) {
        self.cluster = cluster
    }

    private var timeout: Duration { cluster.configuration.requestTimeout }

    /// The level of a feature of the cluster, from the last coordinator; 0 if it has none.
    func feature(_ name: String) -> Int16 {
        state.withLock { $0.features[name] } ?? 0
    }

    // MARK: Calls

    /// Registers the producer, or gives it its next epoch.
    ///
    /// - Parameter last: The current identity; nil for the first time.
    func initialize(
        _ id: String, _ configuration: ProducerConfiguration, after last: ProducerIdentity?, limit: Duration
    ) async throws(KafkaError) -> ProducerIdentity {
        try await call(.transaction(id), limit: limit) { connection in
            if last != nil, try connection.version(for: InitProducerIdRequest.self) < 3 {
                throw KafkaError(
                    .unsupportedVersion,
                    "after this error the producer needs another epoch, which brokers assign from Kafka 2.5 on: "
                        + "create another producer")
            }
            let response = try await connection.call(
                InitProducerIdRequest(
                    transactionalId: id,
                    transactionTimeoutMs: configuration.transactionTimeout.asMilliseconds,
                    producerId: last?.id ?? -1, producerEpoch: last?.epoch ?? -1),
                timeout: self.timeout)
            try Self.check(response.errorCode, "the coordinator refused to assign a producer id")
            return try ProducerIdentity(response)
        }
    }

    /// Adds partitions to the transaction.
    ///
    /// - Parameter mayContinue: Whether another attempt is still useful.
    func add(
        _ partitions: [TopicPartition], to id: String, as identity: ProducerIdentity, limit: Duration,
        while mayContinue: @escaping @Sendable () -> Bool
    ) async throws(KafkaError) {
        let topics = Dictionary(grouping: partitions, by: \.topic).map { topic, partitions in
            AddPartitionsToTxnRequest.Topic(name: topic, partitions: partitions.map(\.partition))
        }
        let request = AddPartitionsToTxnRequest(
            v3AndBelowTransactionalId: id, v3AndBelowProducerId: identity.id,
            v3AndBelowProducerEpoch: identity.epoch, v3AndBelowTopics: topics)
        try await call(.transaction(id), limit: limit, while: mayContinue) { connection in
            let response = try await connection.call(
                request, timeout: self.timeout, upTo: AddPartitionsToTxnRequest.lastClientVersion)
            // If one partition is refused, the others have OPERATION_NOT_ATTEMPTED.
            let results = response.resultsByTopicV3AndBelow.flatMap { topic in
                topic.resultsByPartition.map { (topic.name, $0) }
            }.sorted { first, _ in first.1.partitionErrorCode != ErrorCode.operationNotAttempted.rawValue }
            for (topic, result) in results {
                try Self.check(
                    result.partitionErrorCode, "the partition can't be added to the transaction", topic: topic,
                    partition: result.partitionIndex)
            }
        }
    }

    /// Adds a group to the transaction.
    func add(
        group: String, to id: String, as identity: ProducerIdentity, limit: Duration
    ) async throws(KafkaError) {
        try await call(.transaction(id), limit: limit) { connection in
            let response = try await connection.call(
                AddOffsetsToTxnRequest(
                    transactionalId: id, producerId: identity.id, producerEpoch: identity.epoch, groupId: group),
                timeout: self.timeout)
            try Self.check(response.errorCode, "the group \(group) can't be added to the transaction")
        }
    }

    /// Commits a group's offsets in the transaction.
    func commit(
        _ offsets: [TopicPartition: OffsetAndMetadata], of group: ConsumerGroupMetadata, in id: String,
        as identity: ProducerIdentity, isVersion2: Bool, limit: Duration
    ) async throws(KafkaError) {
        let partitions = offsets.keys
        let expected = group.topicIDs(of: partitions)
        let topics = Dictionary(grouping: offsets, by: \.key.topic).map { topic, offsets in
            TxnOffsetCommitRequest.Topic(
                name: topic,
                partitions: offsets.map { partition, offset in
                    TxnOffsetCommitRequest.Partition(
                        partitionIndex: partition.partition, committedOffset: offset.offset,
                        committedLeaderEpoch: offset.leaderEpoch, committedMetadata: offset.metadata)
                })
        }
        let limitVersion = isVersion2 ? Int16.max : TxnOffsetCommitRequest.lastVersionWithoutAdding
        try await call(.group(group.groupID), limit: limit) { connection in
            if !group.memberID.isEmpty, try connection.version(for: TxnOffsetCommitRequest.self) < 3 {
                throw KafkaError(
                    .unsupportedVersion,
                    "a group member's offsets can be part of a transaction from Kafka 2.5 on (KIP-447)")
            }
            // The group and this member may have a later generation (cooperative rebalance).
            let member = group.current(owning: partitions) ?? group
            let request = TxnOffsetCommitRequest(
                transactionalId: id, groupId: group.groupID, producerId: identity.id, producerEpoch: identity.epoch,
                generationId: member.generationID, memberId: member.memberID, groupInstanceId: member.groupInstanceID,
                topics: topics)
            let response = try await connection.call(request, timeout: self.timeout, upTo: limitVersion)
            do throws(KafkaError) {
                try Self.check(response, of: group.groupID)
            } catch {
                throw await group.mayRepeat(error, sentAs: member, owning: partitions) ? error.passing : error
            }
            // The request has only the topics' names. The broker keeps the offsets until the transaction ends, so a topic
            // that was deleted and created again until now must make the transaction fail.
            let mismatches = try await TopicIdentity.mismatches(expected, over: connection, timeout: self.timeout)
            if let first = mismatches.min(by: { $0.key < $1.key }) { throw first.value }
        }
    }

    private static func check(_ response: TxnOffsetCommitResponse, of group: String) throws(KafkaError) {
        for topic in response.topics {
            for partition in topic.partitions {
                try check(
                    partition.errorCode, "the coordinator refused the offset of group \(group)", topic: topic.name,
                    partition: partition.partitionIndex)
            }
        }
    }

    /// Ends the transaction.
    ///
    /// - Parameter mayBeUnknown: Whether the transaction may not have started at the coordinator, so that there is nothing
    ///   to abort.
    /// - Returns: The identity to continue with.
    func end(
        _ id: String, committing: Bool, as identity: ProducerIdentity, isVersion2: Bool, mayBeUnknown: Bool,
        limit: Duration
    ) async throws(KafkaError) -> ProducerIdentity {
        let request = EndTxnRequest(
            transactionalId: id, producerId: identity.id, producerEpoch: identity.epoch, committed: committing)
        return try await call(.transaction(id), limit: limit) { connection in
            let response = try await connection.call(
                request, timeout: self.timeout,
                upTo: isVersion2 ? Int16.max : EndTxnRequest.lastVersionWithoutEpoch)
            if mayBeUnknown, !committing, response.errorCode == ErrorCode.invalidTxnState.rawValue { return identity }
            try Self.check(
                response.errorCode,
                committing ? "the transaction can't be committed" : "the transaction can't be aborted")
            guard response.producerId >= 0, response.producerEpoch >= 0 else { return identity }
            return ProducerIdentity(id: response.producerId, epoch: response.producerEpoch)
        }
    }

    private static func check(
        _ code: Int16, _ message: String, topic: String? = nil, partition: Int32? = nil
    ) throws(KafkaError) {
        let code = ErrorCode(rawValue: code)
        guard code != .none else { return }
        throw KafkaError(code, message, isFromBroker: true, topic: topic, partition: partition).fromCoordinator
    }

    // MARK: Retries

    /// Sends a request to a coordinator, with retries, until it succeeds, fails permanently, or times out.
    ///
    /// A coordinator that moves, or loads its log, is looked up again for the next attempt. A coordinator that has not
    /// completed the last transaction in all partitions (CONCURRENT_TRANSACTIONS) does so within milliseconds.
    ///
    /// - Throws: The last error; a retriable one after `limit`.
    private func call<Result: Sendable>(
        _ coordinated: Coordinated, limit: Duration,
        while mayContinue: @escaping @Sendable () -> Bool = { true },
        _ attempt: @escaping @Sendable (NegotiatedConnection) async throws -> Result
    ) async throws(KafkaError) -> Result {
        let timing = cluster.timing
        let deadline = timing.now() + limit
        let lastError = Lock<KafkaError?>(nil)
        let outcome = Promise<Swift.Result<Result, KafkaError>?>()
        let work = Task {
            do throws(KafkaError) {
                let result = try await self.attempts(
                    coordinated, until: deadline, while: mayContinue, lastError, attempt)
                outcome.fulfil(.success(result))
            } catch {
                outcome.fulfil(.failure(error))
            }
        }
        // A single attempt may take longer than the limit: `request.timeout.ms`, or several silent brokers in turn.
        let timer = Task {
            try await timing.timeout(limit)
            outcome.fulfil(nil)
        }
        defer {
            timer.cancel()
            work.cancel()
        }
        if let result = await outcome.value() { return try result.get() }
        let silence = KafkaError(.requestTimedOut, "the coordinator of \(coordinated) did not respond in \(limit)")
        throw lastError.withLock { $0 } ?? silence
    }

    private func attempts<Result: Sendable>(
        _ coordinated: Coordinated, until deadline: ContinuousClock.Instant, while mayContinue: @Sendable () -> Bool,
        _ lastError: borrowing Lock<KafkaError?>, _ attempt: @Sendable (NegotiatedConnection) async throws -> Result
    ) async throws(KafkaError) -> Result {
        // Waiting for the end of the last transaction is normal, and reported only if it takes long.
        var retry = Retry(
            "reach the coordinator of \(coordinated)", in: cluster, until: deadline,
            momentary: [.concurrentTransactions])
        while true {
            let failure: KafkaError
            do {
                let result = try await attempt(try await connection(to: coordinated))
                retry.succeeded(in: cluster)
                return result
            } catch let error as KafkaError {
                failure = error
            } catch {
                failure = KafkaError(
                    .unknownServerError, "the request to the coordinator of \(coordinated) failed: \(error)")
            }
            guard failure.isRetriable, !Task.isCancelled else { throw failure }
            lastError.withLock { $0 = failure }
            if failure.code != .concurrentTransactions, !failure.meansLostMembership {
                state.withLock { $0.connections[coordinated] = nil }
            }
            guard mayContinue(), let pause = retry.failed(failure, in: cluster) else { throw failure }
            try? await cluster.timing.sleep(pause)
        }
    }

    private func connection(to coordinated: Coordinated) async throws -> NegotiatedConnection {
        if let open = state.withLock({ $0.connections[coordinated] }), open.isUsable { return open }
        let connection = try await cluster.connection(to: coordinated)
        state.withLock { state in
            state.connections[coordinated] = connection
            state.features = connection.features
        }
        return connection
    }
}
