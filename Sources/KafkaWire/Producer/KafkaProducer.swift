import Concurrency

/// Sends records in batches, each of which is written once and in order, whatever fails meanwhile.
///
/// ```swift
/// let metadata = try await producer.send(ProducerRecord(topic: "TFI", key: "greeting", value: "hello"))
/// ```
///
/// `send` waits for the outcome. To send many records concurrently, `enqueue` each and await its `Delivery` later, or
/// `flush`. Records of one partition keep the order in which they were enqueued.
///
/// With `acks=all` batches are numbered (KIP-98), so that a batch that is retried after a lost response isn't written twice.
/// A record that fails was not written, except that this is unknown after REQUEST_TIMED_OUT and the other errors that
/// `Delivery.metadata` names, and after OUT_OF_ORDER_SEQUENCE_NUMBER for a record that was sent behind such a record.
///
/// With `acks=1` a retried batch may be written twice, or behind later ones. With `acks=0` nothing is retried.
///
/// With `transactional.id` records are sent in transactions: see `withTransaction`.
public final class KafkaProducer: Sendable {
    private let cluster: Cluster
    private let configuration: ProducerConfiguration
    /// Why the settings cannot be used; nil if they can.
    private let settingsError: KafkaError?
    private let accumulator: Accumulator
    private let sender: ProducerSender
    private let lookups = TopicLookups()
    /// nil without `transactional.id`.
    let transactions: TransactionManager?

    /// The producer's transactions.
    ///
    /// - Throws: INVALID_CONFIG if the settings are invalid, or there is no `transactional.id`.
    var transactionManager: TransactionManager {
        get throws(KafkaError) {
            if let settingsError { throw settingsError }
            guard let transactions else {
                throw KafkaError(
                    .invalidConfig,
                    "the producer has no transactional.id; set it, or create the producer with a transactionalID")
            }
            return transactions
        }
    }

    /// - Parameter settings: The client's settings, with those that this producer overrides.
    init(cluster: Cluster, settings: ClientConfiguration) {
        self.cluster = cluster
        let configuration = settings.producer
        self.configuration = configuration
        settingsError = settings.validationError
        let accumulator = Accumulator(
            configuration: configuration, pool: cluster.pool, timing: cluster.timing, observer: cluster.observer)
        let transactions = configuration.transactionalID.map {
            TransactionManager(
                transactionalID: $0, cluster: cluster, configuration: configuration, accumulator: accumulator)
        }
        let sender = ProducerSender(
            cluster: cluster, configuration: configuration, accumulator: accumulator, transactions: transactions)
        self.accumulator = accumulator
        self.transactions = transactions
        self.sender = sender
        if let settingsError { accumulator.close(settingsError) }
        background("sender") { await sender.run() }
    }

    deinit {
        let sender = sender
        background("closing a dropped producer") {
            await sender.stop(KafkaError(.networkException, "the producer was released"))
        }
    }

    /// Sends a record and waits until it is delivered as `acks` demands.
    ///
    /// Takes at most `max.block.ms` and `delivery.timeout.ms`. If the task is cancelled it returns at once: a record that
    /// was already enqueued stays enqueued, so it may still be written.
    ///
    /// - Throws: As `enqueue` and `Delivery.metadata` do; `CancellationError`.
    public nonisolated(nonsending) func send(_ record: ProducerRecord) async throws -> RecordMetadata {
        try await enqueue(record).metadataUnlessCancelled()
    }

    /// Enqueues a record. Waits for the topic's metadata if they aren't known, and for room in `buffer.memory`, for
    /// `max.block.ms` at most.
    ///
    /// - Throws: MESSAGE_TOO_LARGE beyond `max.request.size`; after `max.block.ms` UNKNOWN_TOPIC_OR_PARTITION if there is
    ///   no such topic, and REQUEST_TIMED_OUT if there is no room; other errors of the topic; INVALID_TXN_STATE if the
    ///   producer has a `transactional.id` and no transaction is in progress; NETWORK_EXCEPTION once the producer is
    ///   closed; `CancellationError`.
    public nonisolated(nonsending) func enqueue(_ record: ProducerRecord) async throws -> Delivery {
        try await enqueue(record, transaction: nil)
    }

    /// - Parameter transaction: The number of the transaction that the record must be part of; nil for any, or none.
    nonisolated(nonsending) func enqueue(_ record: ProducerRecord, transaction: UInt64?) async throws -> Delivery {
        var mayBeNewer = record.partition != nil
        var deadline: ContinuousClock.Instant?
        while true {
            do {
                // The spans end with the call.
                let delivery = try unsafe tryEnqueue(
                    topic: record.topic, partition: record.partition, key: record.key?.span.bytes,
                    value: record.value?.span.bytes, headers: record.headers, timestamp: record.timestamp,
                    transaction: transaction)
                if let delivery { return delivery }
                let limit = deadline ?? cluster.timing.now() + configuration.maximumBlockTime
                deadline = limit
                try await ready(for: record.topic, until: limit)
            } catch let error as KafkaError
                where error.code == .unknownTopicOrPartition && !error.isFromBroker && mayBeNewer
            {
                // Partitions may have been added to the topic since it was described.
                mayBeNewer = false
                try await learn(record.topic, anew: true)
            }
        }
    }

    /// Enqueues a record from borrowed memory, without waiting.
    ///
    /// - Returns: nil if there is no room, or if the topic's partitions aren't known: await `ready(for:)` and retry.
    /// - Throws: MESSAGE_TOO_LARGE for a record beyond `max.request.size`; UNKNOWN_TOPIC_OR_PARTITION for a partition
    ///   that the topic does not have; INVALID_TXN_STATE as `enqueue`; the error that the producer was closed with.
    public func tryEnqueue(
        topic: String, partition: Int32? = nil, key: RawSpan?, value: RawSpan?, headers: [RecordHeader] = [],
        timestamp: KafkaTimestamp? = nil
    ) throws(KafkaError) -> Delivery? {
        try tryEnqueue(
            topic: topic, partition: partition, key: key, value: value, headers: headers, timestamp: timestamp,
            transaction: nil)
    }

    private func tryEnqueue(
        topic: String, partition: Int32?, key: RawSpan?, value: RawSpan?, headers: [RecordHeader],
        timestamp: KafkaTimestamp?, transaction: UInt64?
    ) throws(KafkaError) -> Delivery? {
        var partition = partition
        if partition == nil, let partitioner = configuration.partitioner,
            let count = accumulator.partitionCount(of: topic), count > 0
        {
            partition = partitioner.partition(topic: topic, key: key, value: value, partitionCount: count)
        }
        let appended = try accumulator.append(
            topic: topic, partition: partition, key: key, value: value, headers: headers,
            timestamp: (timestamp ?? .now).millisecondsSince1970, transaction: transaction)
        return if case .appended(let delivery) = appended { delivery } else { nil }
    }

    /// Waits until another attempt to enqueue a record of this topic may succeed.
    ///
    /// - Throws: After `max.block.ms` UNKNOWN_TOPIC_OR_PARTITION if the topic does not exist, or the error of the lookup,
    ///   and REQUEST_TIMED_OUT if there is no room; `CancellationError`.
    public nonisolated(nonsending) func ready(for topic: String) async throws {
        try await ready(for: topic, until: cluster.timing.now() + configuration.maximumBlockTime)
    }

    private func ready(for topic: String, until deadline: ContinuousClock.Instant) async throws {
        try Task.checkCancellation()
        guard accumulator.knows(topic) else { return try await learn(topic) }
        await accumulator.waitForRoom(until: deadline)
        try Task.checkCancellation()
        guard cluster.timing.now() < deadline else {
            let holder = accumulator.largestHolder.map { ": " + $0 } ?? ""
            throw KafkaError(
                .requestTimedOut,
                "there was no room for a record in buffer.memory for max.block.ms "
                    + "(\(configuration.maximumBlockTime))" + holder,
                topic: topic)
        }
    }

    /// Looks up the number of a topic's partitions.
    ///
    /// - Throws: REQUEST_TIMED_OUT at once if `max.block.ms` is 0. The topic is looked up in the background then.
    private func learn(_ topic: String, anew: Bool = false) async throws {
        let longest = cluster.configuration.defaultAPITimeout
        let limit = min(longest, configuration.maximumBlockTime)
        guard limit <= .zero else {
            return try await Self.learn(topic, anew: anew, within: limit, cluster, accumulator)
        }
        if lookups.begin(topic) {
            background("topic lookup") { [cluster, accumulator, lookups] in
                // Reported as it is retried. The next record of this topic begins another lookup.
                try? await Self.learn(topic, anew: anew, within: longest, cluster, accumulator)
                lookups.end(topic)
            }
        }
        throw KafkaError(
            .requestTimedOut,
            "the partitions of the topic \(topic) are being looked up, and max.block.ms is 0: send the record later",
            topic: topic)
    }

    private static func learn(
        _ topic: String, anew: Bool, within limit: Duration, _ cluster: Cluster, _ accumulator: Accumulator
    ) async throws {
        let description = try await cluster.retrying(
            operation: "find the partitions of the topic \(topic)", topics: [topic], limit: limit
        ) {
            if anew { try await cluster.refresh(topics: [topic]) }
            let description = try await describe(topic, cluster)
            guard !description.partitions.isEmpty else {
                throw KafkaError(.leaderNotAvailable, "the topic has no partitions at the moment", topic: topic)
            }
            return description
        }
        accumulator.learn(description)
    }

    private static func describe(_ topic: String, _ cluster: Cluster) async throws -> TopicDescription {
        do {
            return try await cluster.describe(topics: [topic])[0]
        } catch let error as KafkaError
            where error.code == .unknownTopicOrPartition && cluster.configuration.producer.allowsTopicCreation
        {
            // If the creation fails, the next attempt fails too, and reports why.
            try? await cluster.createMissing(topics: [topic])
            throw error
        }
    }

    /// The records that wait to be delivered, and when a broker last acknowledged records: for health probes.
    ///
    /// Computed when it is read, in time proportional to the number of partitions and batches.
    public var state: ProducerState { accumulator.producerState }

    /// Sends all buffered records without lingering and waits until each has succeeded or failed.
    ///
    /// Takes at most `delivery.timeout.ms`; in a transaction up to `request.timeout.ms` longer. Returns at once if the
    /// task is cancelled: the records are still sent then. Failures are reported by the records' deliveries.
    public nonisolated(nonsending) func flush() async {
        await accumulator.flush()
    }

    /// Accepts no more records, sends what is buffered, waits until each record has succeeded or failed, and ends. A
    /// transaction in progress is aborted.
    ///
    /// Records that are not delivered in time fail: with REQUEST_TIMED_OUT, since they may have been written. Not
    /// cancellable, since a program often shuts down in a task that has been cancelled.
    ///
    /// - Parameter limit: How long this may take, also if every broker is silent. Less than `delivery.timeout.ms` by
    ///   default.
    /// - Returns: The number of records that were not delivered, with the first error.
    @discardableResult
    public nonisolated(nonsending) func close(within limit: Duration = .seconds(25)) async -> CloseReport {
        let deadline = cluster.timing.now() + limit
        accumulator.countFailures()
        var report = CloseReport()
        let abort = Task { try await self.abortTransactionInProgress() }
        switch await cluster.timing.wait(atMost: limit, for: { await abort.result }) {
        case nil:
            let error = KafkaError(
                .requestTimedOut,
                "the transaction was not aborted within \(limit); the broker aborts it after transaction.timeout.ms")
            report.errors.append(error)
        case .failure(let error as KafkaError): report.errors.append(error)
        case .success, .failure: break
        }
        let reason = KafkaError(.networkException, "the producer is closed")
        accumulator.close(reason)
        let flushing = Task<Void, any Error> { await accumulator.flush() }
        _ = await cluster.timing.wait(atMost: max(deadline - cluster.timing.now(), .zero)) { await flushing.result }
        flushing.cancel()
        let late = KafkaError(
            .requestTimedOut,
            "the producer was closed before the record was delivered (after \(limit) at most); it may have been written"
        )
        await sender.stop(reason, failing: late)
        let failures = accumulator.failures
        report.undeliveredRecords = failures.records
        if let first = failures.first { report.errors.insert(first, at: 0) }
        return report
    }

    private func abortTransactionInProgress() async throws {
        if let transactions, transactions.isToBeEnded { try await abortTransaction() }
    }
}

/// The topics that are being looked up in the background, each by one task.
private final class TopicLookups: Sendable {
    private let topics = Lock<Set<String>>([])

    /// - Returns: False if the topic is being looked up already.
    func begin(_ topic: String) -> Bool { topics.withLock { $0.insert(topic).inserted } }

    func end(_ topic: String) { topics.withLock { _ = $0.remove(topic) } }
}
