import Concurrency

/// Accepts records: chooses their partitions, limits their memory, and hands complete batches to the sender.
///
/// Appending is a short critical section without an allocation per record, so that any number of tasks can append. A batch
/// is complete when it is full, when it has lingered, or on a flush.
final class Accumulator: Sendable {
    struct State {
        var topics: [ProducerTopic] = []
        var indexByName: [String: Int] = [:]
        /// The topic of the last record: most records are for the same as the one before.
        private var latestName = ""
        /// nil before the first record.
        private var latestIndex: Int?
        /// The memory of all batches that have neither succeeded nor failed, open ones among them, in bytes.
        var usedBytes = 0
        var roomWaiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastWaiter: UInt64 = 0
        /// Whether a record found no room, and no batch has ended since.
        var isFull = false
        var closed: KafkaError?
        /// Why no record is accepted at the moment, though the producer isn't closed: no transaction is in progress.
        var refusal: KafkaError?
        /// The number of the current transaction, or of the last one.
        var transaction: UInt64 = 0
        /// The number of calls that wait for everything to be sent. Open batches don't linger meanwhile.
        var flushes = 0
        /// By when the sender looks for complete batches in any case; nil if it waits for a notification.
        var nextCheck: ContinuousClock.Instant?
        /// The number of batches that were taken for requests.
        var turns = 0
        /// When a batch was acknowledged last.
        var lastAcknowledgement: ContinuousClock.Instant?
        /// The number of records that have failed, and the first error, since `countFailures` was called.
        var failures: (records: Int, first: KafkaError?) = (0, nil)

        /// The index of a record's topic, without a dictionary lookup for each record.
        mutating func index(of topic: String) -> Int? {
            if let latestIndex, latestName == topic { return latestIndex }
            guard let index = indexByName[topic] else { return nil }
            (latestName, latestIndex) = (topic, index)
            return index
        }
    }

    /// Guards the topics and partitions with all their batches, the used memory, and the waiters for room.
    let state = Lock(State())
    let configuration: ProducerConfiguration
    let pool: BufferPool
    let timing: Timing
    let observer: ClientObserver?
    /// How long an open batch waits for more records: never so long that no time is left to send it.
    let linger: Duration
    /// The largest record, in bytes (`sizeBound`).
    private let recordLimit: Int
    /// Notified when there may be something to send.
    let signal = Signal()

    init(configuration: ProducerConfiguration, pool: BufferPool, timing: Timing, observer: ClientObserver? = nil) {
        self.configuration = configuration
        self.pool = pool
        self.timing = timing
        self.observer = observer
        linger = min(configuration.linger, configuration.deliveryTimeout / 2)
        recordLimit = min(configuration.maximumRequestSize, configuration.bufferMemory)
    }

    // MARK: Appending

    enum Appended {
        case appended(Delivery)
        case full
        /// The topic's partitions are not known yet.
        case unknownTopic
    }

    /// Appends a record to its partition's open batch.
    ///
    /// - Parameter transaction: The transaction that the record must be part of; nil for any, or none.
    /// - Throws: MESSAGE_TOO_LARGE beyond `max.request.size`; UNKNOWN_TOPIC_OR_PARTITION for a partition that the topic
    ///   does not have; INVALID_TXN_STATE if the transaction has ended; the error that the producer was closed with.
    func append(
        topic name: String, partition: Int32?, key: RawSpan?, value: RawSpan?, headers: [RecordHeader],
        timestamp: Int64, transaction: UInt64? = nil
    ) throws(KafkaError) -> Appended {
        let bound = RecordBatchBuilder.sizeBound(
            keyCount: key?.byteCount ?? 0, valueCount: value?.byteCount ?? 0, headers: headers)
        guard bound <= recordLimit else { throw tooLarge(bound, topic: name, partition) }
        var failure: KafkaError?
        var mayBeReady = false
        let attempt: Attempt = state.withLock { state in
            if state.closed != nil || state.refusal != nil {
                failure = state.closed ?? state.refusal
                return .failed
            }
            if let transaction, transaction != state.transaction {
                failure = TransactionManager.transactionEnded
                return .failed
            }
            guard let index = state.index(of: name) else { return .unknownTopic }
            guard let slot = slot(in: &state.topics[index], partition, key, bound) else {
                failure = KafkaError(
                    .unknownTopicOrPartition, "the topic has no such partition", topic: name, partition: partition)
                return .failed
            }
            let target = state.topics[index].partitions[slot]
            if target.completeIfFull(for: bound, limit: configuration.batchSize) { mayBeReady = true }
            let growth = target.growth(for: bound)
            guard state.usedBytes + growth <= configuration.bufferMemory || state.usedBytes == 0 else {
                state.isFull = true
                mayBeReady = true
                return .full
            }
            if !target.hasOpen {
                target.open(
                    now: timing.now(), bound: bound,
                    limit: min(configuration.batchSize, configuration.bufferMemory - state.usedBytes), pool: pool)
                // The sender must be back by the time at which the batch has lingered.
                let due = target.created + linger
                if state.nextCheck.map({ $0 > due }) ?? true { mayBeReady = true }
                state.usedBytes += target.openCapacity
            }
            do throws(KafkaError) {
                let (recordIndex, growth) = try target.append(
                    key: key, value: value, headers: headers, timestamp: timestamp)
                state.usedBytes += growth
                return .appended(target.outcome, index: recordIndex)
            } catch {
                failure = error
                return .failed
            }
        }
        if mayBeReady { signal.notify() }
        switch attempt {
        case .appended(let outcome, let index):
            return .appended(Delivery(batch: outcome, index: index, timestamp: timestamp))
        case .full: return .full
        case .unknownTopic: return .unknownTopic
        case .failed: throw failure ?? KafkaError(.unknownServerError, "the record was not accepted")
        }
    }

    /// The outcome of an attempt to append, small enough to be returned in registers.
    private enum Attempt {
        case appended(BatchOutcome, index: Int)
        case full
        case unknownTopic
        case failed
    }

    private func tooLarge(_ bound: Int, topic: String, _ partition: Int32?) -> KafkaError {
        let (setting, limit) =
            bound > configuration.maximumRequestSize
            ? ("max.request.size", configuration.maximumRequestSize)
            : ("buffer.memory", configuration.bufferMemory)
        return KafkaError(
            .messageTooLarge, "a record of \(bound) bytes is larger than \(setting) (\(limit))",
            topic: topic, partition: partition)
    }

    /// The index of a record's partition; nil if it names one that doesn't exist.
    private func slot(in topic: inout ProducerTopic, _ partition: Int32?, _ key: RawSpan?, _ bound: Int) -> Int? {
        if let partition {
            guard let slot = Int(exactly: partition), topic.partitions.indices.contains(slot) else { return nil }
            return slot
        }
        if let key, !configuration.partitionerIgnoresKeys {
            return Int(Murmur2.partition(forKey: key, count: Int32(topic.partitions.count)))
        }
        return topic.stickySlot(bound: bound, configuration, now: timing.now, random: timing.random)
    }

    // MARK: Waiting

    /// Waits until a batch ends. Returns at once if one has ended since a record found no room: waiting for the next one
    /// could last for as long as an open batch lingers.
    ///
    /// Also returns when the deadline has passed or the task is cancelled; the caller checks which.
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
            var outcomes: [BatchOutcome] = []
            for partition in state.partitions {
                for entry in partition.entries { outcomes.append(entry.batch.outcome) }
                if partition.builder != nil { outcomes.append(partition.outcome) }
            }
            return outcomes
        }
        signal.notify()
        for outcome in outcomes where !Task.isCancelled { await outcome.allSettledUnlessCancelled() }
        state.withLock { $0.flushes -= 1 }
    }

    // MARK: Ending

    /// Accepts no record until it is called with nil, or until a transaction begins.
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

    /// Accepts no more records. Those that were accepted are sent without lingering.
    func close(_ reason: KafkaError) {
        let waiters = state.withLock { state in
            state.closed = state.closed ?? reason
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
        signal.notify()
    }

    /// Fails every batch that has neither succeeded nor failed.
    func failAll(_ error: KafkaError) {
        close(error)
        let batches = state.withLock { state in
            var batches: [ProducerBatch] = []
            for partition in state.partitions {
                for entry in partition.removeAll() where !entry.hasExpired { batches.append(entry.batch) }
            }
            state.usedBytes = 0
            for batch in batches { state.noteFailure(of: batch.recordCount, error) }
            return batches
        }
        for batch in batches {
            observer?.failedToProduce(batch.partition, records: batch.recordCount, error)
            batch.outcome.settle(.failure(error))
        }
    }
}

extension Accumulator.State {
    /// The callers that wait for room, when there may be room again.
    mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
        isFull = false
        defer { roomWaiters = [:] }
        return Array(roomWaiters.values)
    }

    mutating func noteFailure(of recordCount: Int, _ error: KafkaError) {
        failures = (failures.records + recordCount, failures.first ?? error)
    }

    /// All partitions of all topics.
    var partitions: some Sequence<ProducerPartition> { topics.lazy.flatMap(\.partitions) }

    func partition(_ key: TopicPartition) -> ProducerPartition? {
        guard let index = indexByName[key.topic], let slot = Int(exactly: key.partition),
            topics[index].partitions.indices.contains(slot)
        else { return nil }
        return topics[index].partitions[slot]
    }
}
