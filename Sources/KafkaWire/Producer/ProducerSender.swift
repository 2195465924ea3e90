/// Sends a producer's batches to the partitions' leaders and sees to it that each is written once and in order.
///
/// A partition's batches are numbered (idempotence, KIP-98), so a broker knows one that it has, and refuses one that
/// comes too early. Up to five requests are in flight to a broker. When one of a partition's batches fails for a
/// passing reason, the partition `goesSingly`: nothing of it goes out until all that is in flight has come back, and
/// then one batch at a time until one succeeds. So the order holds, whichever of them were written. A partition begins
/// in the same way, since a leader that doesn't know the producer takes any number for its first (KIP-360): the second
/// batch would be written where the first was refused.
actor ProducerSender {
    private struct PartitionState {
        /// Under which producer id its batches are numbered; nil before the first one.
        var identity: Identity?
        var nextSequence = SequenceNumber.first
        /// A numbered batch was given up, so the numbers have a gap that no broker would pass over. The partition goes
        /// on under another producer id, once nothing of it is in flight.
        var hasLostCount = false
        /// The numbers of the batches that are in flight; nil for those without.
        var inFlight: [SequenceNumber?] = []
        var goesSingly: Bool
        var notBefore: ContinuousClock.Instant?
        var failures = 0
    }

    private struct Identity {
        let id: Int64
        let epoch: Int16
    }

    private let cluster: Cluster
    private let configuration: ProducerConfiguration
    private let accumulator: Accumulator
    private var partitions: [TopicPartition: PartitionState] = [:]
    private var inFlightByNode: [Int32: Int] = [:]
    /// What partitions are numbered under that have no identity yet. Each keeps its own when this one changes, since a
    /// batch that may have been written would be written twice under another.
    private var identity: Identity?
    private var staleTopics: Set<String> = []
    private var connections: [Int32: NegotiatedConnection] = [:]
    private var opening: Set<Int32> = []
    private var isStopped = false
    /// Answers in the order in which they came, which tasks of their own would not keep.
    private let answers = ProduceInbox()

    init(cluster: Cluster, accumulator: Accumulator) {
        self.cluster = cluster
        self.configuration = cluster.configuration.producer
        self.accumulator = accumulator
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
        accumulator.failAll(error)
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
        var byNode: [Int32: [TopicPartition]] = [:]
        let leaders = await cluster.leaders(of: ready.partitions)
        for partition in ready.partitions {
            let state = state(of: partition)
            if let notBefore = state.notBefore, notBefore > now {
                lookAgain(at: notBefore)
            } else if state.goesSingly || state.hasLostCount, !state.inFlight.isEmpty {
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
            guard configuration.isIdempotent else { return true }
            if identity == nil { identity = try await askForIdentity() }
            return true
        } catch let error as KafkaError where !error.isRetriable {
            stop(error)
            return false
        } catch {
            return false
        }
    }

    /// Has a partition that has lost count begin again at number 0, under an identity that it hasn't had.
    private func startNumbersOver(_ partition: TopicPartition) {
        guard var state = partitions[partition], state.hasLostCount, state.inFlight.isEmpty else { return }
        accumulator.forgetSequences(of: partition)
        if state.identity?.id == identity?.id { identity = nil }
        state.identity = nil
        state.nextSequence = .first
        state.hasLostCount = false
        state.goesSingly = true
        partitions[partition] = state
    }

    private func askForIdentity() async throws -> Identity {
        let connection = try await cluster.anyConnection()
        let response = try await connection.call(
            InitProducerIdRequest(transactionalId: nil, transactionTimeoutMs: Int32.max),
            timeout: cluster.configuration.requestTimeout)
        let code = ErrorCode(rawValue: response.errorCode)
        guard code == .none else {
            throw KafkaError(code, "the cluster gave no producer id", isFromBroker: true)
        }
        return Identity(id: response.producerId, epoch: response.producerEpoch)
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
            version = try connection.version(for: ProduceRequest.self)
        } catch {
            return stop(error)
        }
        var batches: [TopicPartition: ProducerBatch] = [:]
        var size = 0
        for partition in ready {
            guard size == 0 || size + configuration.batchSize <= configuration.maximumRequestSize else { break }
            guard expire(partition), !state(of: partition).hasLostCount,
                let batch = accumulator.takeBatch(of: partition)
            else { continue }
            batches[partition] = number(batch)
            size += batch.reserved
        }
        guard !batches.isEmpty else { return }
        await post(batches, to: node, over: connection, version: version)
    }

    private func state(of partition: TopicPartition) -> PartitionState {
        partitions[partition] ?? PartitionState(goesSingly: configuration.isIdempotent)
    }

    /// Gives a batch its number, if it has none yet.
    private func number(_ batch: ProducerBatch) -> ProducerBatch {
        var batch = batch
        var state = state(of: batch.partition)
        if batch.sequence == nil, let identity = state.identity ?? identity {
            state.identity = identity
            batch.sequence = state.nextSequence
            state.nextSequence = state.nextSequence.advanced(by: batch.recordCount)
        }
        state.inFlight.append(batch.sequence)
        partitions[batch.partition] = state
        return batch
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
            baseSequence: batch.sequence?.value ?? -1)
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
                encoded, topicIDs: topicIDs, acks: configuration.acks, timeout: cluster.configuration.requestTimeout)
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

    // MARK: Answers

    private func accept(_ answer: ProduceAnswer) {
        let batches = answer.batches
        inFlightByNode[answer.node, default: 1] -= 1
        for (key, batch) in batches {
            guard let index = partitions[key]?.inFlight.firstIndex(of: batch.sequence) else { continue }
            partitions[key]?.inFlight.remove(at: index)
        }
        switch answer.result {
        case .failure(let error):
            let error = error as? KafkaError ?? KafkaError(.networkException, "the request was cancelled")
            for batch in batches.values { failed(batch, error) }
        case .success(nil):
            for batch in batches.values { written(batch, baseOffset: -1, logAppendTime: -1) }
        case .success(.some(let response)):
            var left = batches
            for topic in response.responses {
                for partition in topic.partitionResponses {
                    let name = topic.name.isEmpty ? answer.topicNames[topic.topicId] : topic.name
                    let key = TopicPartition(topic: name ?? "", partition: partition.index)
                    guard let batch = left.removeValue(forKey: key) else { continue }
                    accept(partition, for: batch)
                }
            }
            for batch in left.values {
                failed(batch, KafkaError(.unknownServerError, "the broker left the batch out of its answer"))
            }
        }
    }

    private func accept(_ response: ProduceResponse.PartitionResponse, for batch: ProducerBatch) {
        let code = ErrorCode(rawValue: response.errorCode)
        switch code {
        case .none, .duplicateSequenceNumber:
            // A duplicate is a batch whose first answer was lost: it is there.
            written(batch, baseOffset: response.baseOffset, logAppendTime: response.logAppendTimeMs)
        default:
            let reason = response.errorMessage ?? "the broker refused the batch"
            failed(
                batch,
                KafkaError(
                    code, reason, isFromBroker: true, topic: batch.partition.topic,
                    partition: batch.partition.partition))
        }
    }

    private func written(_ batch: ProducerBatch, baseOffset: Int64, logAppendTime: Int64) {
        partitions[batch.partition]?.goesSingly = false
        partitions[batch.partition]?.failures = 0
        accumulator.settle(batch, .success(.init(baseOffset: baseOffset, logAppendTime: logAppendTime)))
    }

    private func failed(_ batch: ProducerBatch, _ error: KafkaError) {
        let isOutOfOrder = error.code == .outOfOrderSequenceNumber || error.code == .unknownProducerId
        // Out of order behind a batch that is tried again itself, or isn't answered yet, is what idempotence does for
        // us. With nothing before it the broker has lost count.
        if isOutOfOrder, !followsUnsettled(batch) { partitions[batch.partition]?.hasLostCount = true }
        let mayRetry = error.isRetriable || isOutOfOrder
        guard mayRetry, configuration.acks != .none, !isExpired(batch), !isStopped else {
            if batch.sequence != nil { partitions[batch.partition]?.hasLostCount = true }
            return accumulator.settle(batch, .failure(error))
        }
        if error.meansStaleMetadata { staleTopics.insert(batch.partition.topic) }
        partitions[batch.partition]?.goesSingly = true
        retryLater(batch.partition)
        accumulator.putBack(batch)
    }

    /// Whether a batch of the same partition with a lower number is in flight, or waits to be sent again.
    private func followsUnsettled(_ batch: ProducerBatch) -> Bool {
        guard let sequence = batch.sequence else { return false }
        let waiting = accumulator.firstBatch(of: batch.partition)?.sequence
        return (state(of: batch.partition).inFlight + [waiting]).contains { $0?.precedes(sequence) == true }
    }

    private func retryLater(_ partition: TopicPartition) {
        var state = state(of: partition)
        state.failures += 1
        let backoff = Backoff(
            initial: cluster.configuration.retryBackoff, maximum: cluster.configuration.retryBackoffMaximum)
        state.notBefore =
            cluster.timing.now() + backoff.delay(afterFailures: state.failures, random: cluster.timing.random())
        partitions[partition] = state
    }

    private func isExpired(_ batch: ProducerBatch) -> Bool {
        cluster.timing.now() - batch.created > configuration.deliveryTimeout
    }

    /// Gives up those of a partition's batches that have been tried for too long. True where there are others.
    @discardableResult
    private func expire(_ partition: TopicPartition) -> Bool {
        while let batch = accumulator.firstBatch(of: partition) {
            guard isExpired(batch) else { return true }
            guard accumulator.takeBatch(of: partition) != nil else { return false }
            if batch.sequence != nil { partitions[partition]?.hasLostCount = true }
            accumulator.settle(
                batch,
                .failure(
                    KafkaError(
                        .requestTimedOut,
                        "the records weren't delivered within delivery.timeout.ms (\(configuration.deliveryTimeout)); a part of them may have been",
                        topic: partition.topic, partition: partition.partition)))
        }
        return false
    }
}
