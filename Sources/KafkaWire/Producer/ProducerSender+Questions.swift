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
        let maximumAge = cluster.configuration.metadataMaximumAge
        let age = now - lastLook
        let isOld =
            age >= maximumAge || lacksLeader && !waiting.isEmpty && age >= cluster.configuration.retryBackoffMaximum
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
            let result: Result<[TopicDescription], any Error>
            do {
                try await cluster.refresh(topics: topics)
                var known: [TopicDescription] = []
                for topic in topics {
                    if let description = await cluster.topic(topic) { known.append(description) }
                }
                result = .success(known)
            } catch {
                result = .failure(error)
            }
            acceptTopics(result)
        }
        return nil
    }

    private func acceptTopics(_ result: Result<[TopicDescription], any Error>) {
        guard !isStopped else { return }
        let now = cluster.timing.now()
        switch result {
        case .success(let topics):
            leaderQuestion.answered(notBefore: now + cluster.configuration.retryBackoff)
            for topic in topics { accumulator.learn(topic) }
        case .failure(let error as KafkaError) where !error.isRetriable && !asked.isEmpty:
            stop(error)
        case .failure:
            leaderQuestion.failed(at: now, cluster.configuration.backoff, random: cluster.timing.random())
            stale.formUnion(asked)
        }
        asked = []
        accumulator.signal.notify()
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
            acceptIdentity(result)
        }
        return nil
    }

    private func newIdentity() async throws -> ProducerIdentity {
        let connection = try await cluster.anyConnection()
        let response = try await connection.call(
            InitProducerIdRequest(transactionalId: nil, transactionTimeoutMs: Int32.max),
            timeout: cluster.configuration.requestTimeout)
        let code = ErrorCode(rawValue: response.errorCode)
        guard code == .none else {
            throw KafkaError(code, "the cluster gave no producer id", isFromBroker: true)
        }
        return ProducerIdentity(id: response.producerId, epoch: response.producerEpoch)
    }

    private func acceptIdentity(_ result: Result<ProducerIdentity, any Error>) {
        guard !isStopped else { return }
        switch result {
        case .success(let identity):
            identityQuestion.answered()
            self.identity = identity
        case .failure(let error as KafkaError) where !error.isRetriable:
            stop(error)
        case .failure:
            identityQuestion.failed(
                at: cluster.timing.now(), cluster.configuration.backoff, random: cluster.timing.random())
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
            case .failure(let error as KafkaError) where !error.isRetriable: stop(error)
            case .failure:
                for partition in ready { retryLater(partition) }
                stale.formUnion(ready)
            }
            accumulator.signal.notify()
        }
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
