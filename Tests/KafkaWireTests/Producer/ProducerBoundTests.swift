import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Time limits of a producer's calls", .timeLimit(.minutes(1)))
struct ProducerBoundTests {
    /// Longer than a test can last, so that only the tested limit ends a wait.
    private let patience = [
        "request.timeout.ms": "3600000", "delivery.timeout.ms": "3600000", "max.block.ms": "3600000", "linger.ms": "0",
    ]

    private func record(_ value: String) -> ProducerRecord {
        ProducerRecord(topic: "t", partition: 0, value: Array(value.utf8))
    }

    /// Runs a test with a producer whose broker does not respond to produce requests.
    private func withSilence(
        _ properties: [String: String] = [:], _ body: (FakeCluster, KafkaProducer) async throws -> Void
    ) async throws {
        try await withFake(properties: patience.merging(properties) { $1 }) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            _ = try await producer.send(record("0"))
            fake.inject(.silence, into: .produce)
            try await body(fake, producer)
            await producer.close(within: .zero)
        }
    }

    @Test("close(within:) ends although the broker does not respond, and reports the undelivered records")
    func close() async throws {
        try await withSilence { _, producer in
            var deliveries: [Delivery] = []
            for index in 0..<10 { deliveries.append(try await producer.enqueue(record("\(index)"))) }
            let start = ContinuousClock.now
            let report = await producer.close(within: .milliseconds(100))
            #expect(ContinuousClock.now - start < .seconds(20))
            #expect(report.undeliveredRecords == 10)
            #expect(!report.isComplete && report.errors.first?.code == .requestTimedOut)
            for delivery in deliveries {
                let error = await #expect(throws: KafkaError.self) { _ = try await delivery.metadata }
                #expect(error?.code == .requestTimedOut)
            }
            let again = await producer.close(within: .seconds(1))
            #expect(again.isComplete && again.undeliveredRecords == 0)
        }
    }

    @Test("close(within:) reports nothing if all records were delivered, and returns as soon as they are")
    func closeInOrder() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            let delivery = try await producer.enqueue(record("0"))
            let report = await producer.close()
            #expect(report.isComplete && report.undeliveredRecords == 0)
            _ = try await delivery.metadata
        }
    }

    @Test(
        "close(within:) ends although no broker runs, also with a transaction in progress", arguments: [false, true])
    func closeWithoutBrokers(isTransactional: Bool) async throws {
        let own = isTransactional ? ["transactional.id": "x"] : [:]
        try await withFake(properties: patience.merging(own) { $1 }) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            if isTransactional {
                try await producer.initTransactions()
                try await producer.beginTransaction()
            }
            _ = try await producer.send(record("0"))
            await fake.stop(broker: 1)
            _ = try await producer.enqueue(record("1"))
            let report = await producer.close(within: .milliseconds(200))
            #expect(report.undeliveredRecords == 1)
            #expect(!report.errors.isEmpty)
        }
    }

    @Test("a cancelled send returns at once, and its record may still be written")
    func cancelledSend() async throws {
        try await withSilence { fake, producer in
            let requests = fake.count(.produce)
            let sending = Task { try await producer.send(record("1")) }
            try await eventually("the record is in flight") { fake.count(.produce) > requests }
            sending.cancel()
            await #expect(throws: CancellationError.self) { _ = try await sending.value }
            #expect(try fake.log(of: TopicPartition("t")) == numbered(0..<2))
            #expect(producer.state.waitingRecords == 1)
        }
    }

    @Test("a cancelled flush returns at once")
    func cancelledFlush() async throws {
        try await withSilence { _, producer in
            _ = try await producer.enqueue(record("1"))
            let flushing = Task { await producer.flush() }
            flushing.cancel()
            await flushing.value
            #expect(producer.state.waitingRecords == 1)
        }
    }

    @Test("close delivers buffered records although its task was cancelled")
    func cancelledClose() async throws {
        try await withFake(properties: ["linger.ms": "60000"]) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            for number in 0..<20 { _ = try await producer.enqueue(record("\(number)")) }
            let closing = Task {
                await Task.yield()
                return await producer.close()
            }
            closing.cancel()
            #expect(await closing.value.isComplete)
            #expect(try fake.log(of: TopicPartition("t")) == numbered(0..<20))
        }
    }

    @Test("flush ends after delivery.timeout.ms")
    func flush() async throws {
        try await withSilence(["delivery.timeout.ms": "2000"]) { _, producer in
            _ = try await producer.enqueue(record("1"))
            await producer.flush()
            #expect(producer.state.waitingRecords == 0)
        }
    }

    @Test("a send that waits for the topic's metadata ends after max.block.ms although the broker does not respond")
    func metadata() async throws {
        let properties = patience.merging(["max.block.ms": "1500", "request.timeout.ms": "2000"]) { $1 }
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t")
            fake.inject(.silence, into: .metadata, times: 100)
            let producer = KafkaProducer(cluster: cluster)
            let error = await #expect(throws: KafkaError.self) { _ = try await producer.send(record("0")) }
            #expect(error?.code == .requestTimedOut)
            await producer.close(within: .zero)
        }
    }

    @Test("the calls of a transaction end after max.block.ms although the coordinator does not respond")
    func transactions() async throws {
        let properties = patience.merging(["max.block.ms": "1500", "transactional.id": "x"]) { $1 }
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t")
            let producer = KafkaProducer(cluster: cluster)
            fake.inject(.silence, into: .initProducerID)
            let initError = await #expect(throws: KafkaError.self) { try await producer.initTransactions() }
            #expect(initError?.code == .requestTimedOut && initError?.isRetriable == true)
            fake.hangUp(broker: 1)
            while (try? await producer.initTransactions()) == nil { try Task.checkCancellation() }
            try await producer.beginTransaction()
            _ = try await producer.send(record("0"))
            fake.inject(.silence, into: .endTxn)
            let commitError = await #expect(throws: KafkaError.self) { try await producer.commitTransaction() }
            #expect(commitError?.code == .requestTimedOut && commitError?.isRetriable == true)
            fake.hangUp(broker: 1)
            while (try? await producer.commitTransaction()) == nil { try Task.checkCancellation() }
            #expect(try fake.committedValues(of: TopicPartition("t")) == ["0"])
            await producer.close()
        }
    }

    @Test("a cancelled waiter of a promise stops waiting, and the others don't")
    func promise() async {
        let promise = Promise<Int>()
        let cancelled = Task { await promise.valueUnlessCancelled() }
        let patient = Task { await promise.valueUnlessCancelled() }
        cancelled.cancel()
        let none = await cancelled.value
        #expect(none == nil)
        promise.fulfil(7)
        let value = await patient.value
        #expect(value == 7)
        let later = await promise.valueUnlessCancelled()
        #expect(later == 7)
    }
}
