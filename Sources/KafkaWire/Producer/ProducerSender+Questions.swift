/// What the sender has to find out: who leads what, under which identity batches are numbered, how brokers are reached.
///
/// Each question is a task of its own. A broker that is silent holds up what waits for its answer and nothing else:
/// others' answers are taken, batches go to other brokers, and what has waited for too long ends.
extension ProducerSender {
    // MARK: Leaders

    /// Asks who leads what: where partitions are stale, where the last question was `metadata.max.age.ms` ago, and more
    /// often where a partition lacks a leader. So partitions that a topic gets are found, and leaders that have moved
    /// unnoticed.
    ///
    /// - Parameters:
    ///   - waiting: The partitions that have something to send.
    ///   - lacksLeader: Whether a partition has none, which nothing is sent to where there is a choice.
    /// - Returns: When the question may be asked, where that isn't so yet.
    func askForLeaders(
        for waiting: [TopicPartition], lacksLeader: Bool, at now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant? {
        guard !isStopped else { return nil }
        let isWaitedFor = !stale.isEmpty && waiting.contains { stale.contains($0) }
        let maximumAge = cluster.configuration.maximumMetadataAge
        let age = now - lastLook
        let isOld =
            age >= maximumAge || lacksLeader && !waiting.isEmpty && age >= cluster.configuration.maximumRetryBackoff
        guard isWaitedFor || isOld else {
            wake(at: lastLook + maximumAge)
            return nil
        }
        let topics = accumulator.topicNames
        guard !topics.isEmpty else {
            lastLook = now
            return nil
        }
        guard leaderQuestion.begin(at: now) else { return leaderQuestion.nextAttempt }
        lastLook = now
        asked = stale
        stale = []
        Task {
            let result: Result<LeaderAnswer, any Error>
            do {
                var answer = LeaderAnswer(errors: try await cluster.refresh(topics: topics))
                for topic in topics {
                    if let description = await cluster.topic(topic) { answer.topics.append(description) }
                }
                let missing = Set(asked.map(\.topic)).filter { answer.errors[$0] == .unknownTopicOrPartition }
                if !missing.isEmpty, configuration.allowsTopicCreation {
                    try await cluster.createMissing(topics: missing.sorted())
                }
                result = .success(answer)
            } catch {
                result = .failure(error)
            }
            acceptLeaders(result)
            await stopIfClientIsClosed()
        }
        return nil
    }

    private struct LeaderAnswer {
        var topics: [TopicDescription] = []
        /// What is wrong with topics.
        var errors: [String: ErrorCode]
    }

    private func acceptLeaders(_ result: Result<LeaderAnswer, any Error>) {
        guard !isStopped else { return }
        let now = cluster.timing.now()
        switch result {
        case .success(let answer):
            leaderQuestion.answered(notBefore: now + cluster.configuration.retryBackoff)
            metadataReporter.succeeded(at: now, observer: cluster.observer)
            for topic in answer.topics { accumulator.learn(topic) }
            accept(answer, at: now)
        case .failure(let error):
            leaderQuestion.failed(at: now, cluster.configuration.backoff, random: cluster.timing.random())
            stale.formUnion(asked)
            guard let error = error as? KafkaError else { break }
            metadataReporter.failed(
                error, at: now, retryingAfter: leaderQuestion.nextAttempt.map { $0 - now }, observer: cluster.observer)
            // Only what waits for the answer fails: another broker, or a new login, may serve the next records.
            if !error.isRetriable { fail(asked, error) }
        }
        asked = []
        accumulator.signal.notify()
    }

    /// Reports the topics that have an error, or a partition without a leader, among those that records wait for. An
    /// error that no retry can cure fails the topic's records.
    private func accept(_ answer: LeaderAnswer, at now: ContinuousClock.Instant) {
        for (topic, partitions) in Dictionary(grouping: asked, by: \.topic) {
            let description = answer.topics.first { $0.name == topic }
            let leaderless = partitions.sorted().first { description?.partition($0.partition)?.leader == nil }
            let error: KafkaError
            if let code = answer.errors[topic] {
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
                reportRetry(of: partition, error, at: now, after: leaderQuestion.nextAttempt.map { $0 - now })
            }
        }
    }

    // MARK: Identity

    /// Asks for a producer id where there is none.
    ///
    /// - Parameter waiting: The partitions that have something to send.
    /// - Returns: When the question may be asked, where that isn't so yet.
    func askForIdentity(
        for waiting: [TopicPartition], at now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant? {
        guard configuration.isIdempotent, transactions == nil, identity == nil, !waiting.isEmpty else { return nil }
        guard identityQuestion.begin(at: now) else { return identityQuestion.nextAttempt }
        Task {
            let result: Result<ProducerIdentity, any Error>
            do {
                result = .success(try await newIdentity())
            } catch {
                result = .failure(error)
            }
            acceptIdentity(result, waiting)
            await stopIfClientIsClosed()
        }
        return nil
    }

    private func newIdentity() async throws -> ProducerIdentity {
        // If two brokers answer, one of the two ids is never used.
        let (response, _) = try await cluster.askAnyBroker { _ in
            InitProducerIdRequest(transactionalId: nil, transactionTimeoutMs: Int32.max)
        }
        let code = ErrorCode(rawValue: response.errorCode)
        guard code == .none else {
            throw KafkaError(code, "the cluster gave no producer id", isFromBroker: true)
        }
        return try ProducerIdentity(response)
    }

    private func acceptIdentity(_ result: Result<ProducerIdentity, any Error>, _ waiting: [TopicPartition]) {
        guard !isStopped else { return }
        let now = cluster.timing.now()
        switch result {
        case .success(let identity):
            identityQuestion.answered()
            identityReporter.succeeded(at: now, observer: cluster.observer)
            self.identity = identity
        case .failure(let error):
            identityQuestion.failed(at: now, cluster.configuration.backoff, random: cluster.timing.random())
            guard let error = error as? KafkaError else { break }
            identityReporter.failed(
                error, at: now, retryingAfter: identityQuestion.nextAttempt.map { $0 - now },
                observer: cluster.observer)
            // Partitions that have an identity don't need the answer.
            if !error.isRetriable { fail(waiting.filter { state(of: $0).identity == nil }, error) }
        }
        accumulator.signal.notify()
    }

    // MARK: Connections

    /// Opens a connection to a broker.
    func open(_ node: Int32, for ready: [TopicPartition]) {
        guard opening.insert(node).inserted else { return }
        Task {
            let result: Result<NegotiatedConnection, any Error>
            do {
                result = .success(try await cluster.connection(to: node, role: .produce))
            } catch {
                result = .failure(error)
            }
            opening.remove(node)
            switch result {
            case .success(let connection): connections[node] = connection
            case .failure(let error as KafkaError) where !error.isRetriable:
                // Other brokers' partitions don't need this connection.
                fail(ready, error)
                await stopIfClientIsClosed()
            case .failure:
                for partition in ready { retryLater(partition) }
                stale.formUnion(ready)
            }
            accumulator.signal.notify()
        }
    }

    private func stopIfClientIsClosed() async {
        if await cluster.isClosed { stop(KafkaError(.networkException, "the client is closed", isRetriable: false)) }
    }

    // MARK: Time

    /// Has the sender look again at a time that may be far off.
    func wake(at instant: ContinuousClock.Instant) {
        guard alarm.isAfter(instant) else { return }
        alarm.set(for: instant, in: instant - cluster.timing.now()) { [weak self] in await self?.alarmRang() }
    }

    private func alarmRang() {
        alarm.rang()
        accumulator.signal.notify()
    }
}
