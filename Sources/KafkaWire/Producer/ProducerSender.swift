/// Sends a producer's batches to the partitions' leaders and sees to it that each is written once and in order.
///
/// A partition's batches are numbered (idempotence, KIP-98), so a broker knows one that it has, and refuses one that
/// comes too early. Up to five requests are in flight to a broker. When one of a partition's batches fails for a
/// passing reason, the partition `goesSingly`: nothing of it goes out until all that is in flight has come back, and
/// then one batch at a time until one succeeds. So the order holds, whichever of them were written. A partition begins
/// in the same way, since a leader that doesn't know the producer takes any number for its first (KIP-360): the second
/// batch would be written where the first was refused.
///
/// In a transaction the identity is the transaction's, and a batch that is given up ends it: see `TransactionManager`.
actor ProducerSender {
    let cluster: Cluster
    let configuration: ProducerConfiguration
    let accumulator: Accumulator
    /// Nil for a producer without transactions.
    let transactions: TransactionManager?
    var partitions: [TopicPartition: PartitionState] = [:]
    var inFlightByNode: [Int32: Int] = [:]
    /// Topics whose leaders are to be asked for anew.
    var staleTopics: Set<String> = []
    private(set) var isStopped = false
    /// What partitions are numbered under that have no identity yet, without transactions. Each keeps its own when this
    /// one changes, since a batch that may have been written would be written twice under another.
    private var identity: ProducerIdentity?
    private var connections: [Int32: NegotiatedConnection] = [:]
    private var opening: Set<Int32> = []
    /// Answers in the order in which they came, which tasks of their own would not keep.
    private let answers = ProduceInbox()

    init(cluster: Cluster, accumulator: Accumulator, transactions: TransactionManager?) {
        self.cluster = cluster
        self.configuration = cluster.configuration.producer
        self.accumulator = accumulator
        self.transactions = transactions
    }

    /// Runs until `stop`.
    func run() async {
        while !isStopped {
            for answer in answers.takeAll() { accept(answer) }
            let deadline = await sendWhatCanBe()
            if isStopped { return }
            await accumulator.signal.wait(until: deadline)
        }
    }

    func stop(_ error: KafkaError) {
        isStopped = true
        // Before the records fail: a commit that waits for them has to find out.
        transactions?.senderStopped(error)
        accumulator.failAll(error)
    }

    func state(of partition: TopicPartition) -> PartitionState {
        partitions[partition] ?? PartitionState(goesSingly: configuration.isIdempotent)
    }

    /// Looks at a partition's state and changes it.
    func update<Result>(_ partition: TopicPartition, _ change: (inout PartitionState) -> Result) -> Result {
        change(&partitions[partition, default: PartitionState(goesSingly: configuration.isIdempotent)])
    }

    // MARK: Sending

    /// - Returns: When to look again if nothing happens before.
    private func sendWhatCanBe() async -> ContinuousClock.Instant? {
        let now = cluster.timing.now()
        let ready = accumulator.ready(at: now)
        var deadline = ready.nextDeadline
        func lookAgain(at instant: ContinuousClock.Instant) { deadline = min(deadline ?? instant, instant) }
        guard !ready.partitions.isEmpty else { return deadline }
        for partition in ready.partitions { startNumbersOver(partition) }
        guard await prepare(ready.partitions) else {
            // Batches that have waited too long end here, when there is nobody to send them to.
            for partition in ready.partitions { expire(partition) }
            return now + cluster.configuration.retryBackoff
        }
        let admitted = transactions?.admit(ready.partitions) ?? ready.partitions
        if admitted.count < ready.partitions.count {
            for partition in Set(ready.partitions).subtracting(admitted) { expire(partition) }
            lookAgain(at: now + cluster.configuration.retryBackoffMaximum)
        }
        var byNode: [Int32: [TopicPartition]] = [:]
        let leaders = await cluster.leaders(of: admitted)
        for partition in admitted {
            let state = state(of: partition)
            if let notBefore = state.notBefore, notBefore > now {
                lookAgain(at: notBefore)
            } else if state.mustWait {
                continue  // looked at again when the answer is here
            } else if let leader = leaders[partition] {
                byNode[leader.node, default: []].append(partition)
            } else {
                staleTopics.insert(partition.topic)
                expire(partition)
                lookAgain(at: now + cluster.configuration.retryBackoff)
            }
        }
        for (node, partitions) in byNode where inFlightByNode[node, default: 0] < configuration.maximumInFlight {
            await send(partitions, to: node)
            // There may be more complete batches behind those that went out.
            if !opening.contains(node), inFlightByNode[node, default: 0] < configuration.maximumInFlight {
                lookAgain(at: now)
            }
        }
        return deadline
    }

    /// Sees to what sending needs: fresh metadata where it is known to be stale, and a producer id.
    private func prepare(_ ready: [TopicPartition]) async -> Bool {
        do {
            if !staleTopics.isEmpty {
                let topics = staleTopics
                try await cluster.refresh(topics: topics.sorted())
                staleTopics.subtract(topics)
            }
            guard configuration.isIdempotent, transactions == nil else { return true }
            if identity == nil { identity = try await askForIdentity() }
            return true
        } catch let error as KafkaError where !error.isRetriable {
            stop(error)
            return false
        } catch {
            return false
        }
    }

    /// Has a partition whose numbers have a gap begin again at number 0, under an identity that it hasn't had.
    private func startNumbersOver(_ partition: TopicPartition) {
        guard transactions == nil, let state = partitions[partition], state.canStartOver,
            !accumulator.hasOpenOutcome(partition)
        else { return }
        accumulator.forgetSequences(of: partition)
        if state.identity?.id == identity?.id { identity = nil }
        partitions[partition]?.startOver()
    }

    private func askForIdentity() async throws -> ProducerIdentity {
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

    /// Opens a connection without holding up what goes to other brokers.
    private func open(_ node: Int32, for ready: [TopicPartition]) {
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
                staleTopics.formUnion(ready.map(\.topic))
            }
            accumulator.signal.notify()
        }
    }

    private func send(_ ready: [TopicPartition], to node: Int32) async {
        guard let connection = connections[node], connection.isUsable else {
            connections[node] = nil
            for partition in ready { expire(partition) }
            return open(node, for: ready)
        }
        let version: Int16
        do throws(KafkaError) {
            version = try connection.version(
                for: ProduceRequest.self, upTo: transactions?.lastProduceVersion ?? Int16.max)
        } catch {
            return stop(error)
        }
        var batches: [TopicPartition: ProducerBatch] = [:]
        var size = 0
        for partition in ready {
            guard size == 0 || size + configuration.batchSize <= configuration.maximumRequestSize else { break }
            guard expire(partition) else { continue }
            // Another transaction may have another identity, under which there is no gap yet.
            if let own = transactions?.identity { update(partition) { $0.adopt(own) } }
            guard !state(of: partition).mustWait else { continue }
            // Behind a gap only batches whose outcome is open are sent, under the numbers that they have.
            let hasGap = state(of: partition).hasGap
            guard var batch = accumulator.takeBatch(of: partition, whoseOutcomeIsOpen: hasGap) else { continue }
            update(partition) { $0.send(&batch, as: identity) }
            batches[partition] = batch
            size += batch.reserved
        }
        guard !batches.isEmpty else { return }
        await post(batches, to: node, over: connection, version: version)
    }

    /// The bytes to be sent for a batch: closed the first time, stamped with producer id and number each time.
    private func encode(_ batch: inout ProducerBatch) throws(KafkaError) -> ByteSlice? {
        if let builder = batch.builder {
            batch.encoded = try builder.finish(
                compression: configuration.compression, level: configuration.compressionLevel)
            batch.builder = nil
        }
        let identity = partitions[batch.partition]?.identity
        return batch.encoded?.stamp(
            producerID: identity?.id ?? -1, producerEpoch: identity?.epoch ?? -1,
            baseSequence: batch.sequence?.value ?? -1, isTransactional: transactions != nil)
    }

    private func post(
        _ batches: [TopicPartition: ProducerBatch], to node: Int32, over connection: NegotiatedConnection,
        version: Int16
    ) async {
        inFlightByNode[node, default: 0] += 1
        var batches = batches
        var encoded: [TopicPartition: ByteSlice] = [:]
        var topicIDs: [String: KafkaUUID] = [:]
        var topicNames: [KafkaUUID: String] = [:]
        do {
            for key in batches.keys {
                guard var batch = batches[key] else { continue }
                encoded[key] = try encode(&batch)
                batches[key] = batch
                let id = await cluster.topic(key.topic)?.id ?? .zero
                topicIDs[key.topic] = id
                topicNames[id] = key.topic
            }
            let request = ProduceRequest(
                encoded, topicIDs: topicIDs, transactionalID: transactions?.transactionalID,
                acks: configuration.acks, timeout: cluster.configuration.requestTimeout)
            let lacksID = request.topicData.contains { $0.topicId == .zero }
            try connection.post(
                request, version: lacksID ? min(version, 12) : version,
                timeout: cluster.configuration.requestTimeout + .seconds(5),
                expectsResponse: configuration.acks != .none
            ) { [answers, accumulator, batches, topicNames] result in
                answers.append(ProduceAnswer(node: node, batches: batches, topicNames: topicNames, result: result))
                accumulator.signal.notify()
            }
        } catch {
            accept(ProduceAnswer(node: node, batches: batches, topicNames: topicNames, result: .failure(error)))
        }
    }
}
