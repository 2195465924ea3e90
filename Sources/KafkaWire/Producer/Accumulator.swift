import Synchronization

/// Collects records into batches, one open batch for each partition.
///
/// Appending is a short critical section without an allocation per record, so that any number of tasks can do it.
/// The sender takes the batches out: those that are full, those that have lingered, and all of them on a flush.
final class Accumulator: Sendable {
    fileprivate struct Topic {
        var queues: [PartitionQueue]
        /// Where records without key and partition go until the batch there is complete (KIP-480).
        var sticky: Int
    }

    fileprivate struct State {
        var topics: [Topic] = []
        var indexByName: [String: Int] = [:]
        /// What complete batches take until they are settled.
        var usedBytes = 0
        /// The batches that aren't settled, open ones among them.
        var unsettled: [ObjectIdentifier: BatchOutcome] = [:]
        var roomWaiters: [CheckedContinuation<Void, Never>] = []
        /// Whether a record found no room, and no batch has been settled since.
        var isFull = false
        var closed: KafkaError?
        /// Open batches don't linger while somebody waits for everything to be sent.
        var flushes = 0
    }

    private let state = Mutex(State())
    private let configuration: ProducerConfiguration
    private let pool: BufferPool
    private let timing: Timing
    /// Notified when there may be something to send.
    let signal = Signal()

    init(configuration: ProducerConfiguration, pool: BufferPool, timing: Timing) {
        self.configuration = configuration
        self.pool = pool
        self.timing = timing
    }

    // MARK: Appending

    enum Appended {
        case appended(Delivery)
        case full
        /// Nobody has said how many partitions the topic has.
        case unknownTopic
    }

    func knows(_ topic: String) -> Bool { state.withLock { $0.indexByName[topic] != nil } }

    func add(topic name: String, partitionCount: Int) {
        let random = timing.random()
        let now = timing.now()
        state.withLock { state in
            let index = state.indexByName[name] ?? state.topics.count
            if index == state.topics.count {
                state.topics.append(Topic(queues: [], sticky: Int(random * Double(partitionCount))))
                state.indexByName[name] = index
            }
            while state.topics[index].queues.count < partitionCount {
                let partition = TopicPartition(topic: name, partition: Int32(state.topics[index].queues.count))
                state.topics[index].queues.append(PartitionQueue(partition: partition, now: now))
            }
        }
    }

    /// Puts a record into its partition's open batch.
    ///
    /// - Throws: MESSAGE_TOO_LARGE beyond `max.request.size`; UNKNOWN_TOPIC_OR_PARTITION for a partition that the topic
    ///   hasn't; what the producer was closed with.
    func append(
        topic name: String, partition: Int32?, key: RawSpan?, value: RawSpan?, headers: [(String, [UInt8]?)],
        timestamp: Int64
    ) throws(KafkaError) -> Appended {
        let bound = RecordBatchBuilder.sizeBound(
            keyCount: key?.byteCount ?? 0, valueCount: value?.byteCount ?? 0, headers: headers)
        guard bound <= configuration.maximumRequestSize else {
            throw KafkaError(
                .messageTooLarge,
                "a record of \(bound) bytes is larger than max.request.size (\(configuration.maximumRequestSize))",
                topic: name, partition: partition)
        }
        var result: Result<Appended, KafkaError> = .success(.unknownTopic)
        var isNews = false
        state.withLock { state in
            if let closed = state.closed {
                result = .failure(closed)
                return
            }
            guard let index = state.indexByName[name] else { return }
            guard let slot = Self.slot(in: state.topics[index], partition, key) else {
                let error = KafkaError(
                    .unknownTopicOrPartition, "the topic has no such partition", topic: name, partition: partition)
                result = .failure(error)
                return
            }
            let queue = state.topics[index].queues[slot]
            if let open = queue.builder?.byteCount, open + bound > configuration.batchSize {
                state.usedBytes += queue.completeOpen()
                isNews = true
                // The next records without a key go to another partition's batch.
                let count = state.topics[index].queues.count
                if slot == state.topics[index].sticky { state.topics[index].sticky = (slot + 1) % count }
            }
            guard state.usedBytes + bound <= configuration.bufferMemory || state.usedBytes == 0 else {
                state.isFull = true
                result = .success(.full)
                return
            }
            if queue.builder == nil {
                queue.builder = RecordBatchBuilder(pool: pool)
                queue.outcome = BatchOutcome(partition: queue.partition)
                queue.created = timing.now()
                state.unsettled[ObjectIdentifier(queue.outcome)] = queue.outcome
                isNews = true
            }
            let recordIndex = queue.builder?.recordCount ?? 0
            do throws(KafkaError) {
                try queue.builder?.append(key: key, value: value, headers: headers, timestamp: timestamp)
            } catch {
                result = .failure(error)
                return
            }
            result = .success(
                .appended(Delivery(batch: queue.outcome, index: recordIndex, timestamp: timestamp)))
        }
        if isNews { signal.notify() }
        return try result.get()
    }

    /// Which of a topic's partitions a record goes to; nil where the one that it names doesn't exist.
    private static func slot(in topic: Topic, _ partition: Int32?, _ key: RawSpan?) -> Int? {
        if let partition {
            guard let slot = Int(exactly: partition), topic.queues.indices.contains(slot) else { return nil }
            return slot
        }
        if let key { return Int(Murmur2.partition(forKey: key, count: Int32(topic.queues.count))) }
        return topic.sticky
    }

    /// Waits until a batch is settled; returns at once where one was since a record found no room. Waiting for the
    /// next one then could last for as long as an open batch lingers.
    func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let mayHaveRoom = state.withLock { state in
                if !state.isFull || state.closed != nil { return true }
                state.roomWaiters.append(continuation)
                return false
            }
            if mayHaveRoom { continuation.resume() }
        }
    }

    /// Sends what there is without lingering, and waits until it is settled, well or not.
    func flush() async {
        let outcomes = state.withLock { state in
            state.flushes += 1
            return Array(state.unsettled.values)
        }
        signal.notify()
        for outcome in outcomes { _ = await outcome.value() }
        state.withLock { $0.flushes -= 1 }
    }

    // MARK: Sending

    /// What can be sent, and when there may be more.
    struct Ready {
        var partitions: [TopicPartition] = []
        /// When the first open batch will have lingered long enough.
        var nextDeadline: ContinuousClock.Instant?
    }

    /// The partitions that have a batch to send.
    func ready(at now: ContinuousClock.Instant) -> Ready {
        state.withLock { state in
            var ready = Ready()
            for topic in state.topics {
                for queue in topic.queues {
                    if queue.builder != nil, queue.complete.isEmpty {
                        let due = queue.created + configuration.linger
                        if due <= now || state.flushes > 0 || state.closed != nil {
                            state.usedBytes += queue.completeOpen()
                        } else {
                            ready.nextDeadline = min(ready.nextDeadline ?? due, due)
                        }
                    }
                    if !queue.complete.isEmpty { ready.partitions.append(queue.partition) }
                }
            }
            return ready
        }
    }

    /// Takes a partition's next batch out.
    func takeBatch(of partition: TopicPartition) -> ProducerBatch? {
        state.withLock { state in
            guard let queue = state.queue(partition), !queue.complete.isEmpty else { return nil }
            return queue.complete.removeFirst()
        }
    }

    func firstBatch(of partition: TopicPartition) -> ProducerBatch? {
        state.withLock { $0.queue(partition)?.complete.first }
    }

    /// Puts a batch back that will be tried again, in the order of the numbers.
    func putBack(_ batch: ProducerBatch) {
        state.withLock { state in
            guard let queue = state.queue(batch.partition) else { return }
            let place = queue.complete.firstIndex { other in
                guard let mine = batch.sequence, let theirs = other.sequence else { return other.sequence == nil }
                return mine.precedes(theirs)
            }
            queue.complete.insert(batch, at: place ?? queue.complete.count)
        }
    }

    /// A batch has come to its end: its memory is free, and whoever waits for it is told.
    func settle(_ batch: ProducerBatch, _ outcome: BatchOutcome.Outcome) {
        let waiters = state.withLock { state in
            state.usedBytes -= batch.reserved
            state.isFull = false
            state.unsettled[ObjectIdentifier(batch.outcome)] = nil
            defer { state.roomWaiters = [] }
            return state.roomWaiters
        }
        batch.outcome.settle(outcome)
        for waiter in waiters { waiter.resume() }
    }

    /// Takes back the numbers of a partition's waiting batches: they will be numbered under another producer id.
    func forgetSequences(of partition: TopicPartition) {
        state.withLock { state in
            guard let queue = state.queue(partition) else { return }
            for index in queue.complete.indices { queue.complete[index].sequence = nil }
        }
    }

    /// From now on nothing is taken in any more; what was is sent without lingering.
    func close(_ reason: KafkaError) {
        let waiters = state.withLock { state in
            state.closed = state.closed ?? reason
            defer { state.roomWaiters = [] }
            return state.roomWaiters
        }
        for waiter in waiters { waiter.resume() }
        signal.notify()
    }

    /// Ends every batch that isn't settled with an error.
    func failAll(_ error: KafkaError) {
        close(error)
        let (outcomes, waiters) = state.withLock { state in
            let outcomes = Array(state.unsettled.values)
            state.unsettled = [:]
            state.usedBytes = 0
            for topic in state.topics {
                for queue in topic.queues {
                    queue.builder = nil
                    queue.complete = []
                }
            }
            defer { state.roomWaiters = [] }
            return (outcomes, state.roomWaiters)
        }
        for outcome in outcomes { outcome.settle(.failure(error)) }
        for waiter in waiters { waiter.resume() }
    }
}

extension Accumulator.State {
    fileprivate func queue(_ partition: TopicPartition) -> PartitionQueue? {
        guard let index = indexByName[partition.topic], let slot = Int(exactly: partition.partition),
            topics[index].queues.indices.contains(slot)
        else { return nil }
        return topics[index].queues[slot]
    }
}
