import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Metrics of records", .timeLimit(.minutes(1)))
struct RecordMetricsTests {
    private let partition = TopicPartition("t")

    private func consumer(_ cluster: Cluster) -> KafkaConsumer {
        KafkaConsumer(cluster: cluster, offsetReset: cluster.configuration.consumer.offsetReset)
    }

    private func record(_ value: String, partition: Int32 = 0, timestamp: KafkaTimestamp? = nil) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: partition, value: Array(value.utf8), timestamp: timestamp)
    }

    /// Enqueues the records of one batch of `batchBytes`.
    private func enqueue(_ count: Int, partition: Int32 = 0, _ producer: KafkaProducer) async throws {
        for index in 0..<count {
            let record = record(
                "value \(index)", partition: partition,
                timestamp: KafkaTimestamp(millisecondsSince1970: 1000 + Int64(index)))
            _ = try await producer.enqueue(record)
        }
    }

    private func byteCount(_ fake: FakeCluster, _ partitions: TopicPartition...) -> Int {
        partitions.flatMap { fake.batches(of: $0) }.reduce(0) { $0 + $1.count }
    }

    // MARK: The consumer

    @Test("Fetched records are counted by topic, from the batch headers")
    func fetched() async throws {
        let metrics = CountingMetrics()
        try await withFake(brokers: 2, metrics: metrics) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            fake.createTopic("u")
            try fake.fill(partition, [["a", "b", "c"], ["d"]])
            try fake.fill(TopicPartition("t", 1), [["e", "f"]])
            fake.append(try batchBytes(["u"], compression: .gzip), to: TopicPartition("u"))
            let consumer = consumer(cluster)
            let all = [partition, TopicPartition("t", 1), TopicPartition("u")]
            await consumer.assign(Dictionary(uniqueKeysWithValues: all.map { ($0, ConsumerStart(.earliest)) }))
            var iterator = consumer.makeAsyncIterator()
            _ = try await read(&iterator, 7)
            await consumer.close()
            #expect(metrics.count(.fetchedRecords, "topic=t") == 6)
            #expect(metrics.count(.fetchedBatches, "topic=t") == 3)
            #expect(metrics.count(.fetchedBytes, "topic=t") == byteCount(fake, all[0], all[1]))
            #expect(metrics.count(.fetchedRecords, "topic=u") == 1)
            #expect(metrics.count(.fetchedBatches, "topic=u") == 1)
            #expect(metrics.count(.fetchedBytes, "topic=u") == byteCount(fake, all[2]))
            for key in all {
                #expect(metrics.gauge(.lag, "topic=\(key.topic) partition=\(key.partition)") == 0)
            }
        }
    }

    @Test("The lag counts from the last fetched batch, not from the last returned one")
    func lag() async throws {
        let metrics = CountingMetrics()
        // A fetch brings one batch.
        try await withFake(properties: ["max.partition.fetch.bytes": "1"], metrics: metrics) { fake, cluster in
            fake.createTopic("t")
            try fake.fill(partition, [["a", "b", "c"], ["d", "e"], ["f", "g", "h", "i"]])
            let consumer = consumer(cluster)
            await consumer.assign([partition: ConsumerStart(.earliest)])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await iterator.next()?.recordCount == 3)
            // The next batch is prefetched, and the one after it only when that one is taken.
            // Its counters change one after the other, the lag last.
            try await eventually("the second batch is fetched") { metrics.gauge(.lag, "topic=t partition=0") == 4 }
            #expect(metrics.count(.fetchedBatches, "topic=t") == 2)
            #expect(metrics.count(.fetchedRecords, "topic=t") == 5)
            _ = try await read(&iterator, 6)
            #expect(metrics.count(.fetchedRecords, "topic=t") == 9)
            #expect(metrics.gauge(.lag, "topic=t partition=0") == 0)
            await consumer.close()
        }
    }

    @Test("An empty partition has a lag of 0, and counts nothing")
    func empty() async throws {
        let metrics = CountingMetrics()
        try await withFake(metrics: metrics) { fake, cluster in
            fake.createTopic("t")
            let consumer = consumer(cluster)
            await consumer.assign([partition: ConsumerStart(.earliest)])
            try await eventually("the end of the log is known") { metrics.gauge(.lag, "topic=t partition=0") == 0 }
            #expect(!metrics.made.keys.contains { $0.hasPrefix(MetricName.fetchedRecords.rawValue) })
            await consumer.close()
        }
    }

    @Test("With read_committed the lag ends at the first open transaction")
    func lagOfCommitted() async throws {
        let metrics = CountingMetrics()
        let properties = ["isolation.level": "read_committed", "transactional.id": "x", "linger.ms": "0"]
        try await withFake(properties: properties, metrics: metrics) { fake, cluster in
            fake.createTopic("t")
            try fake.fill(partition, [["a", "b"]])
            let producer = KafkaProducer(cluster: cluster)
            try await producer.initTransactions()
            try await producer.beginTransaction()
            _ = try await producer.send(record("c"))
            #expect(fake.offsets(of: partition)?.upperBound == 3)
            let consumer = consumer(cluster)
            await consumer.assign([partition: ConsumerStart(.earliest)])
            var iterator = consumer.makeAsyncIterator()
            _ = try await read(&iterator, 2)
            #expect(metrics.count(.fetchedRecords, "topic=t") == 2)
            #expect(metrics.gauge(.lag, "topic=t partition=0") == 0)
            await consumer.close()
            await producer.close()
        }
    }

    // MARK: The producer

    @Test("Acknowledged records are counted by topic, in bytes before compression", arguments: ["none", "gzip"])
    func produced(compression: String) async throws {
        let metrics = CountingMetrics()
        let properties = ["linger.ms": "3600000", "compression.type": compression]
        try await withFake(properties: properties, metrics: metrics) { fake, cluster in
            fake.createTopic("t", partitions: 2)
            let producer = KafkaProducer(cluster: cluster)
            try await enqueue(70, producer)
            try await enqueue(3, partition: 1, producer)
            await producer.flush()
            await producer.close()
            let sizes = try [70, 3].map { count in try batchBytes((0..<count).map { "value \($0)" }).count }
            #expect(metrics.count(.producedRecords, "topic=t") == 73)
            #expect(metrics.count(.producedBatches, "topic=t") == 2)
            #expect(metrics.count(.producedBytes, "topic=t") == sizes[0] + sizes[1])
            let sent = byteCount(fake, partition, TopicPartition("t", 1))
            #expect(compression == "none" ? sent == sizes[0] + sizes[1] : sent < sizes[0])
            #expect(!metrics.made.keys.contains { $0.hasPrefix(MetricName.failedRecords.rawValue) })
        }
    }

    @Test("A batch that is sent twice counts once, and a split batch as its parts")
    func retried() async throws {
        let metrics = CountingMetrics()
        try await withFake(properties: ["linger.ms": "3600000"], metrics: metrics) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            fake.inject(.errorAfterwards(.notEnoughReplicasAfterAppend), into: .produce)
            try await enqueue(3, producer)
            await producer.flush()
            #expect(fake.count(.produce) == 2)
            #expect(metrics.count(.producedRecords, "topic=t") == 3)
            #expect(metrics.count(.producedBatches, "topic=t") == 1)
            fake.inject(.error(.messageTooLarge), into: .produce)
            try await enqueue(5, producer)
            await producer.flush()
            await producer.close()
            #expect(metrics.count(.producedRecords, "topic=t") == 8)
            #expect(metrics.count(.producedBatches, "topic=t") == 3)
            #expect(metrics.count(.producedBytes, "topic=t") == byteCount(fake, partition))
        }
    }

    @Test("With acks=0 sent records are counted")
    func unacknowledged() async throws {
        let metrics = CountingMetrics()
        try await withFake(properties: ["acks": "0", "linger.ms": "3600000"], metrics: metrics) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            try await enqueue(4, producer)
            await producer.flush()
            #expect(metrics.count(.producedRecords, "topic=t") == 4)
            await producer.close()
        }
    }

    @Test("Records that a broker refuses permanently are counted by error")
    func refused() async throws {
        let metrics = CountingMetrics()
        try await withFake(properties: ["linger.ms": "3600000"], metrics: metrics) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            fake.inject(.error(.topicAuthorizationFailed), into: .produce)
            try await enqueue(3, producer)
            await producer.flush()
            #expect(metrics.count(.failedRecords, "topic=t error=TOPIC_AUTHORIZATION_FAILED") == 3)
            #expect(metrics.count(.producedRecords, "topic=t") == 0)
            await producer.close()
        }
    }

    @Test("Closing a producer counts its waiting, open and in-flight records as failed")
    func stopped() async throws {
        let metrics = CountingMetrics()
        try await withFake(properties: ["linger.ms": "3600000", "batch.size": "200"], metrics: metrics) {
            fake, cluster in
            fake.createTopic("t")
            var producer: KafkaProducer? = KafkaProducer(cluster: cluster)
            fake.inject(.silence, into: .produce)
            for index in 0..<4 {
                // Two records fill a batch. The first batch is sent alone and never answered.
                let value = String(repeating: "x", count: 90) + "\(index)"
                _ = try await producer?.enqueue(record(value))
            }
            try await eventually("the first batch is in flight") { fake.count(.produce) == 1 }
            producer = nil
            try await eventually("all have failed") {
                metrics.count(.failedRecords, "topic=t error=NETWORK_EXCEPTION") == 4
            }
            #expect(metrics.count(.producedRecords, "topic=t") == 0)
        }
    }

    @Test("Records that an abort drops are counted, and not logged as errors")
    func dropped() async throws {
        let (metrics, logger) = (CountingMetrics(), LineLogger(.info))
        let properties = ["transactional.id": "x", "linger.ms": "3600000"]
        try await withFake(properties: properties, logger: logger, metrics: metrics) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            try await producer.initTransactions()
            try await producer.beginTransaction()
            try await enqueue(3, producer)
            try await producer.abortTransaction()
            #expect(metrics.count(.failedRecords, "topic=t error=OPERATION_NOT_ATTEMPTED") == 3)
            #expect(!logger.all.contains { $0.level >= .error })
            await producer.close()
        }
    }

    @Test("A failed batch is logged as an error")
    func logged() async throws {
        let logger = LineLogger(.error)
        try await withFake(properties: ["linger.ms": "3600000"], logger: logger) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            fake.inject(.error(.topicAuthorizationFailed), into: .produce)
            try await enqueue(2, producer)
            await producer.flush()
            await producer.close()
        }
        #expect(logger.all.count == 1)
        #expect(logger.all.first?.metadata["records"] == "2")
        #expect(logger.all.first?.metadata["topic"] == "t")
    }
}
