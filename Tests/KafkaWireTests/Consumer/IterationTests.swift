import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Loops over a consumer", .timeLimit(.minutes(1)))
struct IterationTests {
    private let partition = TopicPartition("t")
    private struct Mistake: Error {}

    /// A topic of 50 records in batches of ten, and a consumer that reads it from its beginning.
    private func withConsumer(
        group: String? = nil, autoCommit: Bool = true, filled: Int = 50,
        _ body: (FakeCluster, KafkaConsumer) async throws -> Void
    ) async throws {
        let settings = ["fetch.max.wait.ms": "10", "enable.auto.commit": "\(autoCommit)"]
        let properties = settings.merging(group.map { ["group.id": $0] } ?? [:]) { $1 }
        try await withFake(properties: properties) { fake, cluster in
            fake.createTopic("t")
            for start in stride(from: 0, to: filled, by: 10) {
                try fake.fill(partition, [(start..<start + 10).map(String.init)])
            }
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([partition: ConsumerStart(.offset(0))])
            try await body(fake, consumer)
            await consumer.close()
        }
    }

    @Test(
        "a second task that asks for a batch while the first one waits gets an error; the first one ends at close")
    func twoTasks() async throws {
        try await withConsumer(filled: 0) { _, consumer in
            let first = Task { for try await _ in consumer {} }
            try await eventually("the first task waits") {
                consumer.buffer.state.withLock { $0.presence.isInNext }
            }
            for _ in 0..<3 {
                let error = await #expect(throws: KafkaError.self) { for try await _ in consumer {} }
                #expect(error?.code == .invalidRequest && error?.message.contains("another task") == true)
                let other = await #expect(throws: KafkaError.self) { for try await _ in consumer.records {} }
                #expect(other?.code == .invalidRequest)
            }
            await consumer.close()
            try await first.value
        }
    }

    @Test("many tasks that iterate one consumer all end", arguments: [nil, "g"], [true, false])
    func manyTasks(group: String?, batchByBatch: Bool) async throws {
        try await withConsumer(group: group) { _, consumer in
            let tasks = (0..<8).map { _ in
                Task {
                    do {
                        if batchByBatch {
                            for try await _ in consumer { await Task.yield() }
                        } else {
                            for try await _ in consumer.records { await Task.yield() }
                        }
                    } catch {
                        #expect((error as? KafkaError)?.code == .invalidRequest)
                    }
                }
            }
            try await eventually("everything is read") { consumer.isCaughtUp }
            await consumer.close()
            for task in tasks { await task.value }
        }
    }

    @Test("another task can iterate after a cancelled one, again and again")
    func cancelledAndMadeAgain() async throws {
        try await withConsumer(filled: 0) { fake, consumer in
            for round in 0..<5 {
                let reading = Task { for try await _ in consumer {} }
                if round % 2 == 0 {
                    try await eventually("it waits") {
                        consumer.buffer.state.withLock { $0.presence.isInNext }
                    }
                }
                reading.cancel()
                await #expect(throws: CancellationError.self) { try await reading.value }
            }
            try fake.fill(partition, [["0"]])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 1)[0] == numbered(0..<1))
        }
    }

    @Test("with a group, a batch that a loop left by an error is redelivered, and not committed before")
    func failedBatch() async throws {
        try await withConsumer(group: "g") { fake, consumer in
            var found: [Int64] = []
            await #expect(throws: Mistake.self) {
                for try await batch in consumer {
                    if batch.baseOffset == 20 { throw Mistake() }
                    found += try batch.readRecords().map(\.offset)
                }
            }
            #expect(found == Array(0..<20))
            #expect(consumer.buffer.collect(\.processed?.offset) == [partition: 20])
            for try await batch in consumer {
                if batch.baseOffset == 20 {
                    // An automatic commit would still commit the offset before this batch.
                    #expect(consumer.buffer.collect(\.processed?.offset) == [partition: 20])
                    #expect(consumer.positions == [partition: 30])
                }
                found += try batch.readRecords().map(\.offset)
                if found.last == 39 {
                    // Committed, so the next loop begins after this batch.
                    try await consumer.commit()
                    break
                }
            }
            #expect(found == Array(0..<40))
            #expect(fake.committedOffset(group: "g", of: partition) == 40)
            for try await batch in consumer {
                #expect(batch.baseOffset == 40)
                break
            }
        }
    }

    @Test("with a group, a batch that the application has committed itself is not redelivered")
    func committedByHand() async throws {
        try await withConsumer(group: "g", autoCommit: false) { _, consumer in
            var found: [Int64] = []
            await #expect(throws: Mistake.self) {
                for try await batch in consumer {
                    if batch.baseOffset == 10 { throw Mistake() }
                    found += try batch.readRecords().map(\.offset)
                    try await consumer.commit([partition: OffsetAndMetadata(batch.nextOffset)])
                }
            }
            for try await batch in consumer {
                found += try batch.readRecords().map(\.offset)
                try await consumer.commit([partition: OffsetAndMetadata(batch.nextOffset)])
                if batch.nextOffset == 30 { break }
            }
            for try await batch in consumer {
                found += try batch.readRecords().map(\.offset)
                if batch.nextOffset == 50 { break }
            }
            #expect(found == Array(0..<50))
        }
    }

    @Test("with a group, only the record that a loop left by an error is redelivered")
    func failedRecord() async throws {
        try await withConsumer(group: "g") { _, consumer in
            var found: [Int64] = []
            var failed: Set<Int64> = []
            while found.last != 49 {
                do {
                    for try await record in consumer.records {
                        if record.offset % 7 == 3, failed.insert(record.offset).inserted { throw Mistake() }
                        #expect(consumer.buffer.collect(\.processed?.offset) == [partition: record.offset])
                        found.append(record.offset)
                        if record.offset == 49 {
                            try await consumer.commit()
                            break
                        }
                    }
                } catch is Mistake {}
            }
            #expect(found == Array(0..<50))
            #expect(failed.count == 7)
        }
    }

    @Test("with a group, a seek or another assignment after the failed batch replaces its redelivery")
    func failedBatchThenSeek() async throws {
        try await withConsumer(group: "g") { _, consumer in
            for try await batch in consumer where batch.baseOffset == 10 { break }
            try await consumer.seek([partition: .offset(40)])
            for try await batch in consumer {
                #expect(batch.baseOffset == 40)
                break
            }
            await consumer.assign([partition: ConsumerStart(.offset(20))])
            for try await batch in consumer {
                #expect(batch.baseOffset == 20)
                break
            }
        }
    }

    @Test("without a group, a loop continues after the batch that the one before it left")
    func withoutGroup() async throws {
        try await withConsumer { _, consumer in
            var found: [Int64] = []
            while found.count < 50 {
                for try await batch in consumer {
                    found += try batch.readRecords().map(\.offset)
                    break
                }
            }
            #expect(found == Array(0..<50))
        }
    }

    @Test(
        "a consumer that is released without close releases its fetcher and buffer",
        arguments: [true, false])
    func dropped(isReachable: Bool) async throws {
        try await withFake(properties: ["fetch.max.wait.ms": "20000"]) { fake, cluster in
            if isReachable { fake.createTopic("t") }
            weak var fetcher: Fetcher?
            weak var buffer: FetchBuffer?
            do {
                let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
                await consumer.assign([partition: ConsumerStart(.earliest)])
                var iterator = consumer.makeAsyncIterator()
                guard case .timedOut = try await iterator.next(timeout: .milliseconds(10)) else {
                    Issue.record("a batch arrived")
                    return
                }
                if isReachable { try await eventually("a fetch waits") { fake.count(.fetch) == 1 } }
                (fetcher, buffer) = (consumer.fetcher, consumer.buffer)
            }
            try await eventually("both are gone", within: .seconds(10)) { fetcher == nil && buffer == nil }
        }
    }

    @Test("closing a consumer does not wait for a silent broker, and ends its loop")
    func closeWithSilentBroker() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            fake.inject(.silence, into: .fetch, times: 100)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([partition: ConsumerStart(.earliest)])
            let reading = Task { for try await _ in consumer {} }
            try await eventually("a fetch waits") { fake.count(.fetch) == 1 }
            let started = ContinuousClock.now
            await consumer.close()
            try await reading.value
            // request.timeout.ms is 30 s.
            #expect(.now - started < .seconds(10))
        }
    }

    @Test("state, lastResponse and isCaughtUp follow the consumer")
    func state() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            #expect(consumer.state == .unassigned)
            #expect(consumer.lastResponse == nil && !consumer.isCaughtUp)
            fake.inject(.late(.milliseconds(50)), into: .fetch)
            let started = ContinuousClock.now
            await consumer.assign([partition: ConsumerStart(.earliest)])
            #expect(consumer.state == .assigned)
            #expect(!consumer.isCaughtUp && consumer.lag.isEmpty)
            try await eventually("it is caught up") { consumer.isCaughtUp }
            #expect(consumer.lag == [partition: 0])
            #expect(try #require(consumer.lastResponse) >= started)
            await consumer.unassign([partition])
            #expect(consumer.state == .unassigned && !consumer.isCaughtUp)
            let error = KafkaError(.saslAuthenticationFailed, "no")
            consumer.buffer.fail(error)
            #expect(consumer.state == .failed(error))
            await consumer.close()
            #expect(consumer.state == .closed)
        }
    }
}
