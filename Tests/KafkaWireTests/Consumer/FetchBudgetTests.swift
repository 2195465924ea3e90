import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("The size of a fetch", .timeLimit(.minutes(1)))
struct FetchBudgetTests {
    private let partition = TopicPartition("t")

    @Test("each response that is cut off halves the limit, down to a floor")
    func shrinks() {
        var budget = FetchBudget(50 << 20)
        budget.cutOff(length: 1 << 20)
        #expect(budget.limit == 1 << 19)
        for _ in 0..<30 { budget.cutOff(length: 1 << 20) }
        #expect(budget.limit == 1024)
        var small = FetchBudget(100)
        small.cutOff(length: 1 << 20)
        #expect(small.limit == 100)
    }

    @Test("responses with records let the limit grow again, up to the configured one")
    func grows() {
        var budget = FetchBudget(1 << 20)
        for _ in 0..<3 { budget.cutOff(length: .max) }
        #expect(budget.limit == 1 << 17)
        for _ in 0..<7 { budget.succeeded() }
        #expect(budget.limit == 1 << 17)
        budget.succeeded()
        #expect(budget.limit == 1 << 18)
        for _ in 0..<100 { budget.succeeded() }
        #expect(budget.limit == 1 << 20)
        budget.exceeded(allowed: 1000)
        for _ in 0..<100 { budget.succeeded() }
        #expect(budget.limit == 500)
    }

    @Test("responses that are cut off are retried with a smaller limit")
    func cutOff() async throws {
        let sizes = Lock<[Int]>([])
        var hooks = ClientHooks()
        hooks.responseReceived = { event in
            if event.api == "Fetch", event.error == nil { sizes.withLock { $0.append(event.byteCount) } }
        }
        try await withFake(hooks: hooks) { fake, cluster in
            fake.createTopic("t")
            let value = String(repeating: "x", count: 1000)
            for _ in 0..<100 { try fake.fill(partition, [[value]]) }
            fake.inject(.hangUp(.withinAnswer), into: .fetch, times: 4)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([partition: ConsumerStart(.earliest)])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 100)[0]?.map(\.offset) == Array(0..<100))
            // The whole log is 107 KB, which is halved four times.
            #expect(sizes.withLock { $0.first ?? .max } < 10_000)
            await consumer.close()
        }
    }

    @Test("a broker that rejects every fetch session is asked with growing back-off")
    func sessionsRejected() async throws {
        let manual = ManualTiming()
        let events = Lock<[RetryEvent]>([])
        var hooks = ClientHooks()
        hooks.retrying = { event in events.withLock { $0.append(event) } }
        try await withFake(
            properties: ["retry.backoff.ms": "100", "retry.backoff.max.ms": "1000"], timing: manual.timing(),
            hooks: hooks
        ) { fake, cluster in
            fake.createTopic("t")
            try fake.fill(partition, [["0"]])
            fake.inject(.error(.fetchSessionIdNotFound), into: .fetch, times: 20)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([partition: ConsumerStart(.offset(0))])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 1)[0] == numbered(0..<1))
            let pauses = manual.slept.filter { $0 >= .milliseconds(80) }
            // The first rejection is retried at once.
            #expect(pauses.count >= 19 && pauses.contains { $0 >= .milliseconds(800) }, "\(pauses)")
            let reported = events.withLock { $0.filter { $0.operation == "fetch from broker 1" } }
            #expect(reported.first?.error?.code == .fetchSessionIdNotFound)
            await consumer.close()
        }
    }

    @Test("a batch above receive.message.max.bytes fails only its partition, with size and setting in the error")
    func tooLarge() async throws {
        try await withFake(properties: ["receive.message.max.bytes": "20000"]) { fake, cluster in
            fake.createTopic("t", partitions: 4)
            let large = String(repeating: "x", count: 30_000)
            var starts: [TopicPartition: ConsumerStart] = [:]
            for index in Int32(0)..<4 {
                let partition = TopicPartition("t", index)
                try fake.fill(partition, [["0", "1"], [index == 2 ? large : "2"], ["3"]])
                starts[partition] = ConsumerStart(.earliest)
            }
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign(starts)
            var iterator = consumer.makeAsyncIterator()
            var found: [Int32: [Int64]] = [:]
            var failures: [KafkaError] = []
            while failures.isEmpty || found.values.reduce(0, { $0 + $1.count }) < 14 {
                do {
                    guard let batch = try await iterator.next() else { break }
                    found[batch.partition, default: []] += try batch.readRecords().map(\.offset)
                } catch let error as KafkaError {
                    failures.append(error)
                }
            }
            #expect(found == [0: [0, 1, 2, 3], 1: [0, 1, 2, 3], 2: [0, 1], 3: [0, 1, 2, 3]])
            let failure = try #require(failures.first)
            #expect(failures.count == 1 && failure.code == .messageTooLarge && !failure.isRetriable)
            #expect(failure.topic == "t" && failure.partition == 2 && failure.offset == 2)
            #expect(failure.message.contains("receive.message.max.bytes is 20000"), "\(failure.message)")
            #expect(failure.message.contains("a response of 30"), "\(failure.message)")
            // The other partitions are still read, and this one resumes after the batch.
            try fake.fill(TopicPartition("t", 0), [["4"]])
            #expect(try await read(&iterator, 1)[0]?.map(\.offset) == [4])
            try await consumer.seek([TopicPartition("t", 2): .offset(3)])
            #expect(try await read(&iterator, 1)[2]?.map(\.offset) == [3])
            await consumer.close()
        }
    }
}
