/// What the sender looks up: leaders, the identity under which batches are numbered, and connections.
///
/// Each lookup is a task of its own. A silent broker delays only what needs its response: others' responses are handled,
/// batches go to other brokers, and batches expire in time.
extension ProducerSender {
    // MARK: Leaders

    /// Looks up leaders: if a partition needs that, after `metadata.max.age.ms`, and more often if a partition lacks a
    /// leader. So partitions are found that a topic gets, and leaders that have moved unnoticed.
    ///
    /// - Parameters:
    ///   - isWaitedFor: Whether a partition with batches needs the lookup.
    ///   - canBeUsed: Whether any partition has a batch to send.
    ///   - lacksLeader: Whether a partition has no leader, so that records without a key avoid it.
    /// - Returns: When the lookup may begin, if it may not yet.
    func lookUpLeaders(
        isWaitedFor: Bool, canBeUsed: Bool, lacksLeader: Bool, at now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant? {
        guard !isStopped else { return nil }
        let maximumAge = cluster.configuration.maximumMetadataAge
        let age = now - lastLookup
        let isOld = age >= maximumAge || lacksLeader && canBeUsed && age >= cluster.configuration.maximumRetryBackoff
        guard isWaitedFor || isOld else {
            wake(at: lastLookup + maximumAge)
            return nil
        }
        guard !accumulator.topicNames.isEmpty else {
            lastLookup = now
            return nil
        }
        guard leaderLookup.begin(at: now) else { return leaderLookup.nextAttempt }
        lastLookup = now
        let (partitions, topics) = accumulator.beginLookup()
        Task {
            let result: Result<FoundLeaders, any Error>
            do {
                var found = FoundLeaders(errors: try await cluster.refresh(topics: topics))
                for topic in topics {
                    if let description = await cluster.topic(topic) { found.topics.append(description) }
                }
                let missing = Set(partitions.map(\.topic)).filter { found.errors[$0] == .unknownTopicOrPartition }
                if !missing.isEmpty, configuration.allowsTopicCreation {
                    try await cluster.createMissing(topics: missing.sorted())
                }
                result = .success(found)
            } catch {
                result = .failure(error)
            }
            acceptLeaders(result, for: partitions)
            await stopIfClientIsClosed()
        }
        return nil
    }

    private struct FoundLeaders {
        var topics: [TopicDescription] = []
        /// The errors of topics.
        var errors: [String: ErrorCode]
    }

    private func acceptLeaders(_ result: Result<FoundLeaders, any Error>, for partitions: [TopicPartition]) {
        guard !isStopped else { return }
        let now = cluster.timing.now()
        switch result {
        case .success(let found):
            leaderLookup.succeeded(notBefore: now + cluster.configuration.retryBackoff)
            metadataReporter.succeeded(at: now, observer: cluster.observer)
            for topic in found.topics { accumulator.learn(topic) }
            accumulator.endLookup(of: partitions, mustRepeat: false)
            reportMissing(found, for: partitions, at: now)
        case .failure(let error):
            leaderLookup.failed(at: now, cluster.configuration.backoff, random: cluster.timing.random())
            accumulator.endLookup(of: partitions, mustRepeat: true)
            guard let error = error as? KafkaError else { break }
            metadataReporter.failed(
                error, at: now, retryingAfter: leaderLookup.nextAttempt.map { $0 - now }, observer: cluster.observer)
            // Only the records that need the lookup fail: another broker, or a new login, may serve the next ones.
            if !error.isRetriable { fail(partitions, error) }
        }
        accumulator.signal.notify()
    }

    /// Reports the topics that have an error, or a partition without a leader, among those that records wait for. An error
    /// that is not retriable fails the topic's records.
    private func reportMissing(
        _ found: FoundLeaders, for partitions: [TopicPartition], at now: ContinuousClock.Instant
    ) {
        for (topic, partitions) in Dictionary(grouping: partitions, by: \.topic) {
            let description = found.topics.first { $0.name == topic }
            let leaderless = partitions.sorted().first { description?.partition($0.partition)?.leader == nil }
            let error: KafkaError
            if let code = found.errors[topic] {
                error = KafkaError.ofTopic(code, topic)
            } else if let leaderless {
                error = KafkaError(
                    .leaderNotAvailable, "the partition has no leader at the moment", topic: topic,
                    partition: leaderless.partition)
            } else {
                continue
            }
            guard error.isRetriable else {
                fail(partitions, error)
                continue
            }
            for partition in partitions {
                reportRetry(of: partition, error, at: now, after: leaderLookup.nextAttempt.map { $0 - now })
            }
        }
    }

    // MARK: Identity

    /// Asks for a producer id if partitions need one.
    ///
    /// - Parameter partitions: The partitions whose batches wait for it.
    /// - Returns: When the lookup may begin, if it may not yet.
    func lookUpIdentity(
        for partitions: [TopicPartition], at now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant? {
        guard identity == nil, !partitions.isEmpty else { return nil }
        guard identityLookup.begin(at: now) else { return identityLookup.nextAttempt }
        Task {
            let result: Result<ProducerIdentity, any Error>
            do {
                result = .success(try await newIdentity())
            } catch {
                result = .failure(error)
            }
            acceptIdentity(result, for: partitions)
            await stopIfClientIsClosed()
        }
        return nil
    }

    private func newIdentity() async throws -> ProducerIdentity {
        // If two brokers respond, one of the two ids is never used.
        let (response, _) = try await cluster.askAnyBroker { _ in
            InitProducerIdRequest(transactionalId: nil, transactionTimeoutMs: Int32.max)
        }
        let code = ErrorCode(rawValue: response.errorCode)
        guard code == .none else {
            throw KafkaError(code, "the cluster refused to assign a producer id", isFromBroker: true)
        }
        return try ProducerIdentity(response)
    }

    private func acceptIdentity(_ result: Result<ProducerIdentity, any Error>, for partitions: [TopicPartition]) {
        guard !isStopped else { return }
        let now = cluster.timing.now()
        switch result {
        case .success(let identity):
            identityLookup.succeeded()
            identityReporter.succeeded(at: now, observer: cluster.observer)
            self.identity = identity
        case .failure(let error):
            identityLookup.failed(at: now, cluster.configuration.backoff, random: cluster.timing.random())
            guard let error = error as? KafkaError else { break }
            identityReporter.failed(
                error, at: now, retryingAfter: identityLookup.nextAttempt.map { $0 - now },
                observer: cluster.observer)
            if !error.isRetriable { fail(partitions, error) }
        }
        accumulator.signal.notify()
    }

    // MARK: Connections

    /// Opens a connection to a broker.
    ///
    /// - Parameter partitions: The partitions whose batches wait for it.
    func connect(to node: Int32, for partitions: [TopicPartition]) {
        guard !brokers[node, default: Broker()].isConnecting else { return }
        brokers[node, default: Broker()].isConnecting = true
        Task {
            let result: Result<NegotiatedConnection, any Error>
            do {
                result = .success(try await cluster.connection(to: node, role: .produce))
            } catch {
                result = .failure(error)
            }
            brokers[node]?.isConnecting = false
            switch result {
            case .success(let connection): brokers[node]?.connection = connection
            case .failure(let error as KafkaError) where !error.isRetriable:
                // Other brokers' partitions don't need this connection.
                fail(partitions, error)
                await stopIfClientIsClosed()
            case .failure: accumulator.backOff(partitions, cluster.configuration.backoff)
            }
            accumulator.signal.notify()
        }
    }

    private func stopIfClientIsClosed() async {
        if await cluster.isClosed { stop(KafkaError(.networkException, "the client is closed", isRetriable: false)) }
    }
}
