import Concurrency

/// Collects records into batches, one open batch for each partition.
///
/// Appending is a short critical section without an allocation per record, so that any number of tasks can do it.
/// The sender takes the batches out: those that are full, those that have lingered, and all of them on a flush.
final class Accumulator: Sendable {
    struct State {
        var topics: [TopicQueues] = []
        var indexByName: [String: Int] = [:]
        /// The topic of the last record: most records are for the same as the one before.
        private var latest: (name: String, index: Int)?
        /// The memory of all batches that aren't settled, open ones among them.
        var usedBytes = 0
        /// The batches that aren't settled, open ones among them.
        var unsettled: [ObjectIdentifier: Unsettled] = [:]
        var roomWaiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastWaiter: UInt64 = 0
        /// Whether a record found no room, and no batch has been settled since.
        var isFull = false
        var closed: KafkaError?
        /// Why no record is accepted at the moment, though the producer isn't closed: no transaction is in progress.
        var refusal: KafkaError?
        /// The number of the current transaction, or of the last one.
        var transaction: UInt64 = 0
        /// Open batches don't linger while somebody waits for everything to be sent.
        var flushes = 0
        /// When a batch was acknowledged last.
        var lastAcknowledgement: ContinuousClock.Instant?
        /// The number of records that have failed, and the first error, since `countFailures` was called.
        var failures: (records: Int, first: KafkaError?) = (0, nil)

        /// Where a record's topic is, without a look into the dictionary for each of them.
        mutating func index(of topic: String) -> Int? {
            if let latest, latest.name == topic { return latest.index }
            guard let index = indexByName[topic] else { return nil }
            latest = (topic, index)
            return index
        }
    }

    /// A batch that has neither succeeded nor failed.
    struct Unsettled {
        let outcome: BatchOutcome
        let created: ContinuousClock.Instant
        /// The number of its records; 0 until it is taken out to be sent.
        var recordCount = 0
        /// The bytes of `buffer.memory` that it takes; 0 until it is taken out to be sent.
        var reserved = 0
    }

    let state = Lock(State())
    let configuration: ProducerConfiguration
    let pool: BufferPool
    let timing: Timing
    let observer: ClientObserver?
    /// How long a batch that isn't complete waits for more: never so long that no time is left to send it.
    let linger: Duration
    /// Notified when there may be something to send.
    let signal = Signal()

    init(configuration: ProducerConfiguration, pool: BufferPool, timing: Timing, observer: ClientObserver? = nil) {
        self.configuration = configuration
        self.pool = pool
        self.timing = timing
        self.observer = observer
        linger = min(configuration.linger, configuration.deliveryTimeout / 2)
    }

    // MARK: Appending

    enum Appended {
        case appended(Delivery)
        case full
        /// Nobody has said how many partitions the topic has.
        case unknownTopic
    }

    /// Puts a record into its partition's open batch.
    ///
    /// - Parameter transaction: The transaction that the record has to be part of; nil for any, or none.
    /// - Throws: MESSAGE_TOO_LARGE beyond `max.request.size`; UNKNOWN_TOPIC_OR_PARTITION for a partition that the topic
    ///   does not have; INVALID_TXN_STATE if the transaction has ended; the error that the producer was closed with.
    func append(
        topic name: String, partition: Int32?, key: RawSpan?, value: RawSpan?, headers: [RecordHeader],
        timestamp: Int64, transaction: UInt64? = nil
    ) throws(KafkaError) -> Appended {
        let bound = RecordBatchBuilder.sizeBound(
            keyCount: key?.byteCount ?? 0, valueCount: value?.byteCount ?? 0, headers: headers)
        guard bound <= min(configuration.maximumRequestSize, configuration.bufferMemory) else {
            let (setting, limit) =
                bound > configuration.maximumRequestSize
                ? ("max.request.size", configuration.maximumRequestSize)
                : ("buffer.memory", configuration.bufferMemory)
            throw KafkaError(
                .messageTooLarge, "a record of \(bound) bytes is larger than \(setting) (\(limit))",
                topic: name, partition: partition)
        }
        var result: Result<Appended, KafkaError> = .success(.unknownTopic)
        var isNews = false
        state.withLock { state in
            if let refusal = state.closed ?? state.refusal {
                result = .failure(refusal)
                return
            }
            if let transaction, transaction != state.transaction {
                result = .failure(TransactionManager.transactionEnded)
                return
            }
            guard let index = state.index(of: name) else { return }
            guard let slot = slot(in: &state.topics[index], partition, key, bound) else {
                let error = KafkaError(
                    .unknownTopicOrPartition, "the topic has no such partition", topic: name, partition: partition)
                result = .failure(error)
                return
            }
            let queue = state.topics[index].queues[slot]
            if let open = queue.builder?.byteCount, open + bound > configuration.batchSize {
                queue.completeOpen()
                isNews = true
            }
            let growth = queue.builder?.growth(for: bound) ?? RecordBatchHeader.byteCount + bound
            guard state.usedBytes + growth <= configuration.bufferMemory || state.usedBytes == 0 else {
                state.isFull = true
                isNews = true
                result = .success(.full)
                return
            }
            var held = queue.builder?.capacity ?? 0
            if queue.builder == nil {
                queue.open(
                    now: timing.now(), bound: bound,
                    limit: min(configuration.batchSize, configuration.bufferMemory - state.usedBytes), pool: pool)
                state.unsettled[ObjectIdentifier(queue.outcome)] = Unsettled(
                    outcome: queue.outcome, created: queue.created)
                held = 0
                isNews = true
            }
            let recordIndex = queue.builder?.recordCount ?? 0
            do throws(KafkaError) {
                try queue.builder?.append(key: key, value: value, headers: headers, timestamp: timestamp)
            } catch {
                result = .failure(error)
            }
            state.usedBytes += (queue.builder?.capacity ?? 0) - held
            guard case .success = result else { return }
            result = .success(
                .appended(Delivery(batch: queue.outcome, index: recordIndex, timestamp: timestamp)))
        }
        if isNews { signal.notify() }
        return try result.get()
    }

    /// Which of a topic's partitions a record goes to; nil where the one that it names doesn't exist.
    private func slot(in topic: inout TopicQueues, _ partition: Int32?, _ key: RawSpan?, _ bound: Int) -> Int? {
        if let partition {
            guard let slot = Int(exactly: partition), topic.queues.indices.contains(slot) else { return nil }
            return slot
        }
        if let key, !configuration.partitionerIgnoresKeys {
            return Int(Murmur2.partition(forKey: key, count: Int32(topic.queues.count)))
        }
        return topic.stickySlot(bound: bound, configuration, now: timing.now, random: timing.random)
    }

    // MARK: Waiting

    /// Waits until a batch is settled; returns at once where one was since a record found no room. Waiting for the
    /// next one then could last for as long as an open batch lingers.
    ///
    /// Returns as well when the deadline has passed or the task is cancelled; the caller looks which.
    func waitForRoom(until deadline: ContinuousClock.Instant? = nil) async {
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let timer = deadline.map { deadline in
            Task {
                try await Task.sleep(until: deadline)
                self.endWait(id)
            }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayHaveRoom = state.withLock { state in
                    if !state.isFull || state.closed != nil || Task.isCancelled { return true }
                    if let deadline, timing.now() >= deadline { return true }
                    state.roomWaiters[id] = continuation
                    return false
                }
                if mayHaveRoom { continuation.resume() }
            }
        } onCancel: {
            endWait(id)
        }
        timer?.cancel()
    }

    private func endWait(_ id: UInt64) {
        state.withLock { $0.roomWaiters.removeValue(forKey: id) }?.resume()
    }

    /// Sends all buffered records without lingering and waits until each has succeeded or failed.
    ///
    /// Returns at once if the task is cancelled.
    func flush() async {
        let outcomes = state.withLock { state in
            state.flushes += 1
            return state.unsettled.values.map(\.outcome)
        }
        signal.notify()
        for outcome in outcomes where !Task.isCancelled { await outcome.allSettledUnlessCancelled() }
        state.withLock { $0.flushes -= 1 }
    }

    // MARK: Ending

    /// Accepts no record until this is called with nil, or until a transaction begins.
    func refuse(_ reason: KafkaError?) {
        state.withLock { $0.refusal = reason }
    }

    /// Accepts records of a transaction.
    func accept(transaction number: UInt64) {
        state.withLock { state in
            state.transaction = number
            state.refusal = nil
        }
    }

    /// From now on nothing is taken in any more; what was is sent without lingering.
    func close(_ reason: KafkaError) {
        let waiters = state.withLock { state in
            state.closed = state.closed ?? reason
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
        signal.notify()
    }

    /// Ends every batch that isn't settled with an error.
    func failAll(_ error: KafkaError) {
        close(error)
        let batches = state.withLock { state in
            for topic in state.topics {
                for queue in topic.queues {
                    queue.completeOpen()
                    for batch in queue.complete { state.noteRecords(of: batch) }
                    queue.complete = []
                }
            }
            defer { (state.unsettled, state.usedBytes) = ([:], 0) }
            for batch in state.unsettled.values { state.noteFailure(of: batch.recordCount, error) }
            return Array(state.unsettled.values)
        }
        for batch in batches {
            observer?.failedToProduce(batch.outcome.partition, records: batch.recordCount, error)
            batch.outcome.settle(.failure(error))
        }
    }
}

extension Accumulator.State {
    /// There may be room again: whoever waited for it.
    mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
        isFull = false
        defer { roomWaiters = [:] }
        return Array(roomWaiters.values)
    }

    mutating func noteRecords(of batch: ProducerBatch) {
        unsettled[ObjectIdentifier(batch.outcome)]?.recordCount = batch.recordCount
        unsettled[ObjectIdentifier(batch.outcome)]?.reserved = batch.reserved
    }

    mutating func noteFailure(of recordCount: Int, _ error: KafkaError) {
        failures = (failures.records + recordCount, failures.first ?? error)
    }

    func queue(_ partition: TopicPartition) -> PartitionQueue? {
        guard let index = indexByName[partition.topic], let slot = Int(exactly: partition.partition),
            topics[index].queues.indices.contains(slot)
        else { return nil }
        return topics[index].queues[slot]
    }
}
