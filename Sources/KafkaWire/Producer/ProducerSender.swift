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
///
/// The loop waits for no broker: what it has to ask for is asked beside it, and only what needs the answer waits.
actor ProducerSender {
    let cluster: Cluster
    let configuration: ProducerConfiguration
    let accumulator: Accumulator
    /// Nil for a producer without transactions.
    let transactions: TransactionManager?
    var partitions: [TopicPartition: PartitionState] = [:]
    var inFlightByNode: [Int32: Int] = [:]
    /// The batches in flight whose senders haven't been told an outcome. Those of a transaction aren't among them: it
    /// can't end before it is known what may still be written of it.
    var untold: [ObjectIdentifier: ProducerBatch] = [:]
    /// Partitions whose leaders are to be asked for anew. Nothing of them is sent before.
    var stale: Set<TopicPartition> = []
    /// Those that the question under way is asked for; one of them that fails meanwhile is stale as well.
    var asked: Set<TopicPartition> = []
    var leaderQuestion = ProducerQuestion()
    /// When it was asked last.
    var lastLook: ContinuousClock.Instant
    var identityQuestion = ProducerQuestion()
    /// What partitions are numbered under that have no identity yet, without transactions. Each keeps its own when this
    /// one changes, since a batch that may have been written would be written twice under another.
    var identity: ProducerIdentity?
    var connections: [Int32: NegotiatedConnection] = [:]
    var opening: Set<Int32> = []
    var alarm = ProducerAlarm()
    /// Report why the questions are repeated.
    var metadataReporter = RetryReporter("find the leaders of partitions")
    var retries: [String: TopicRetries] = [:]
    var identityReporter = RetryReporter("get a producer id")
    private(set) var isStopped = false
    /// How many batches have gone out.
    private var turns = 0
    /// Answers in the order in which they came, which tasks of their own would not keep.
    private let answers = ProduceInbox()

    init(
        cluster: Cluster, configuration: ProducerConfiguration, accumulator: Accumulator,
        transactions: TransactionManager?
    ) {
        self.cluster = cluster
        self.configuration = configuration
        self.accumulator = accumulator
        self.transactions = transactions
        lastLook = cluster.timing.now()
    }

    /// Runs until `stop`.
    func run() async {
        while !isStopped {
            for answer in answers.takeAll() { accept(answer) }
            let deadline = await sendWhatCanBe()
            if isStopped { return }
            // The time that is slept through is the real one, whatever clock the deadline is by.
            let left = deadline.map { $0 - cluster.timing.now() }
            await accumulator.signal.wait(until: left.map { ContinuousClock.now + $0 })
        }
    }

    /// Ends the loop, and fails everything that is not delivered.
    ///
    /// - Parameter failure: The error of these records; nil for `error`.
    func stop(_ error: KafkaError, failing failure: KafkaError? = nil) {
        isStopped = true
        alarm.cancel()
        // Before the records fail: a commit that waits for them has to find out.
        transactions?.senderStopped(error)
        accumulator.failAll(failure ?? error)
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
        let waiting = expire(ready)
        // Behind a batch that has ended there may be another, with a time of its own.
        if !ready.expired.isEmpty { lookAgain(at: now) }
        for partition in waiting { startNumbersOver(partition) }
        if let instant = askForIdentity(for: waiting, at: now) { lookAgain(at: instant) }
        var sendable: [TopicPartition] = []
        for partition in waiting {
            let state = state(of: partition)
            if let notBefore = state.notBefore, notBefore > now {
                lookAgain(at: notBefore)
            } else if !state.mustWait, isIdentified(state), !stale.contains(partition), !asked.contains(partition) {
                sendable.append(partition)
            }
        }
        let leaders = await cluster.leaders(of: sendable)
        stale.formUnion(sendable.filter { leaders[$0] == nil })
        sendable.removeAll { leaders[$0] == nil }
        let admitted = transactions?.admit(sendable) ?? sendable
        if admitted.count < sendable.count { lookAgain(at: now + cluster.configuration.maximumRetryBackoff) }
        var byNode: [Int32: [TopicPartition]] = [:]
        for partition in admitted {
            if let leader = leaders[partition] { byNode[leader.node, default: []].append(partition) }
        }
        for (node, partitions) in byNode where hasRoom(node) {
            // Batches wait here for the end of a broker's pause, where they can expire: a transaction would have to wait
            // for those that the connection has taken.
            if let pauseEnd = connections[node]?.pauseEnd {
                lookAgain(at: now + (pauseEnd - .now))
                continue
            }
            let isSent = await send(partitions, to: node)
            // There may be more complete batches behind those that went out.
            if isSent, hasRoom(node) { lookAgain(at: now) }
        }
        if let instant = askForLeaders(for: waiting, lacksLeader: ready.lacksLeader, at: now) { lookAgain(at: instant) }
        return deadline
    }

    /// Gives up what has been tried for too long, whatever the rest of its partition waits for.
    ///
    /// - Returns: The partitions that have something left to send.
    private func expire(_ ready: Accumulator.Ready) -> [TopicPartition] {
        if let expiry = [ready.nextExpiry, expireInFlight()].compactMap({ $0 }).min() { wake(at: expiry) }
        guard !ready.expired.isEmpty else { return ready.partitions }
        let ended = Set(ready.expired.filter { !expire($0) })
        return ready.partitions.filter { !ended.contains($0) }
    }

    private func hasRoom(_ node: Int32) -> Bool {
        inFlightByNode[node, default: 0] < configuration.maximumInFlightRequests
    }

    /// Whether there is something for a partition's next batch to be numbered under, where it is to be numbered.
    private func isIdentified(_ state: PartitionState) -> Bool {
        !configuration.isIdempotent || transactions != nil || (state.identity ?? identity) != nil
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

    /// - Returns: Whether something went out.
    private func send(_ ready: [TopicPartition], to node: Int32) async -> Bool {
        guard let connection = connections[node], connection.isUsable else {
            connections[node] = nil
            open(node, for: ready)
            return false
        }
        let version: Int16
        do throws(KafkaError) {
            version = try connection.version(
                for: ProduceRequest.self, upTo: transactions?.lastProduceVersion ?? Int16.max)
        } catch {
            fail(ready, error)
            return false
        }
        var batches: [TopicPartition: ProducerBatch] = [:]
        var size = 0
        for partition in inTurn(ready) where size < configuration.maximumRequestSize {
            // Another transaction may have another identity, under which there is no gap yet.
            if let own = transactions?.identity { update(partition) { $0.adopt(own) } }
            let state = state(of: partition)
            guard !state.mustWait, isIdentified(state) else { continue }
            // The first goes however large it is. Behind a gap only batches whose outcome is open are sent, under the
            // numbers that they have.
            let room = batches.isEmpty ? Int.max : configuration.maximumRequestSize - size
            guard var batch = accumulator.takeBatch(of: partition, whoseOutcomeIsOpen: state.hasGap, room: room)
            else { continue }
            turns += 1
            let turn = turns
            update(partition) { state in
                state.lastTurn = turn
                state.send(&batch, as: identity)
            }
            batches[partition] = batch
            size += batch.byteCount
        }
        guard !batches.isEmpty else { return false }
        await post(batches, to: node, over: connection, version: version)
        return true
    }

    /// A request may not have room for all: first come those whose last batch is the longest ago.
    private func inTurn(_ partitions: [TopicPartition]) -> [TopicPartition] {
        guard partitions.count > 1 else { return partitions }
        return partitions.map { (partition: $0, turn: state(of: $0).lastTurn) }
            .sorted { $0.turn < $1.turn }
            .map { $0.partition }
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
                do throws(KafkaError) {
                    encoded[key] = try encode(&batch)
                    batches[key] = batch
                } catch {
                    // The other batches of the request don't need this one.
                    batches[key] = nil
                    update(key) { _ = $0.cameBack(batch) }
                    giveUp(batch, error)
                    continue
                }
                let id = await cluster.topic(key.topic)?.id ?? .zero
                topicIDs[key.topic] = id
                topicNames[id] = key.topic
            }
            guard !batches.isEmpty else {
                inFlightByNode[node, default: 1] -= 1
                return
            }
            if transactions == nil {
                for batch in batches.values { untold[ObjectIdentifier(batch.outcome)] = batch }
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

extension ProduceRequest {
    /// A request for one batch of each partition.
    ///
    /// - Parameter timeout: How long the leader may wait for the replicas.
    fileprivate init(
        _ batches: [TopicPartition: ByteSlice], topicIDs: [String: KafkaUUID], transactionalID: String?,
        acks: ProducerConfiguration.Acks, timeout: Duration
    ) {
        self.init(
            transactionalId: transactionalID, acks: acks.rawValue,
            timeoutMs: timeout.asMilliseconds,
            topicData: Dictionary(grouping: batches.keys.sorted(), by: \.topic).map { topic, keys in
                TopicData(
                    name: topic, topicId: topicIDs[topic] ?? .zero,
                    partitionData: keys.map { PartitionData(index: $0.partition, records: batches[$0]) })
            })
    }
}
