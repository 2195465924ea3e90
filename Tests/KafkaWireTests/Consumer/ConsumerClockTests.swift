import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

/// Nothing here sleeps: the injected clock decides when a wait is over.
@Suite("A consumer's clock", .timeLimit(.minutes(1)))
struct ConsumerClockTests {
    private let partition = TopicPartition("t")

    @Test("next(timeout:) times out by the injected clock")
    func nextTimesOut() async throws {
        let clock = ManualClock()
        try await withFake(timing: clock.timing) { fake, cluster in
            fake.createTopic("t")
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            let reading = Task {
                var iterator = consumer.makeAsyncIterator()
                return try await iterator.next(timeout: .seconds(77))
            }
            await clock.sleeper(for: .seconds(77))
            clock.advance(by: .seconds(77))
            guard case .timedOut = try await reading.value else {
                Issue.record("a batch arrived")
                return
            }
            #expect(consumer.buffer.absence(since: clock.now - .seconds(1), at: clock.now) == clock.now)
            await consumer.close()
        }
    }

    @Test("the leaders are looked up again when the metadata reach metadata.max.age.ms, and not before")
    func metadataAge() async throws {
        let clock = ManualClock()
        try await withFake(properties: ["metadata.max.age.ms": "60000"], timing: clock.timing) { fake, cluster in
            fake.createTopic("t")
            try fake.fill(partition, [["0"]])
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([partition: ConsumerStart(.offset(0))])
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 1)[0] == numbered(0..<1))
            await clock.sleeper(for: .seconds(60))
            let before = fake.count(.metadata)
            clock.advance(by: .seconds(59))
            #expect(clock.sleepers.contains(.seconds(1)))
            clock.advance(by: .seconds(1))
            // The loop waits for the next time only after the look-up.
            await clock.sleeper(for: .seconds(60))
            #expect(fake.count(.metadata) == before + 1)
            await consumer.close()
        }
    }

    @Test("a refused fetch is retried when the back-off ends, and not before")
    func backOff() async throws {
        let clock = ManualClock()
        let properties = ["retry.backoff.ms": "7000", "retry.backoff.max.ms": "7000"]
        try await withFake(properties: properties, timing: clock.timing) { fake, cluster in
            fake.createTopic("t")
            try fake.fill(partition, [["0"]])
            fake.inject(.error(.notLeaderOrFollower), into: .fetch)
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .fail)
            await consumer.assign([partition: ConsumerStart(.offset(0))])
            await clock.sleeper(for: .seconds(7))
            #expect(fake.count(.fetch) == 1)
            clock.advance(by: .seconds(7))
            var iterator = consumer.makeAsyncIterator()
            #expect(try await read(&iterator, 1)[0] == numbered(0..<1))
            await consumer.close()
        }
    }

    @Test("a member is absent since it last asked for a batch; a record counts from when it is noticed")
    func absence() throws {
        let clock = ManualClock()
        let buffer = FetchBuffer(timing: clock.timing)
        let beginning = clock.now
        clock.advance(by: .seconds(1))
        #expect(buffer.absence(since: beginning, at: clock.now) == beginning)
        var reader = buffer.makeReader()
        _ = try buffer.beginNext(&reader)
        #expect(buffer.absence(since: beginning, at: clock.now) == nil)
        buffer.endNext(reader)
        let left = clock.now
        clock.advance(by: .seconds(1))
        #expect(buffer.absence(since: beginning, at: clock.now) == left)
        buffer.state.withLock { $0.presence = .awayWithinBatch }
        #expect(buffer.absence(since: beginning, at: clock.now) == clock.now)
        let noticed = clock.now
        clock.advance(by: .seconds(1))
        #expect(buffer.absence(since: beginning, at: clock.now) == noticed)
    }

    @Test("the application is away from the moment at which its time is up, is woken, or gets a batch")
    func away() async throws {
        for outcome in 0..<3 {
            let clock = ManualClock()
            let buffer = FetchBuffer(timing: clock.timing)
            let slot = try #require(buffer.place([partition: ConsumerStart(.offset(0))])[partition])
            var reader = buffer.makeReader()
            _ = try buffer.beginNext(&reader)
            let left = clock.now
            switch outcome {
            case 0: _ = try await buffer.take(timeout: .zero)
            case 1:
                buffer.wakeUp()
                _ = try await buffer.take(timeout: nil)
            default:
                let end = FetchPosition(offset: 1)
                let part = FetchedPartition(slot: slot, next: end, gate: Signal())
                #expect(buffer.handOut(part, before: part, end: end) == .handedOut)
            }
            clock.advance(by: .seconds(1))
            // Leaving again, or as an iterator that doesn't wait, changes nothing.
            buffer.endNext(reader)
            #expect(buffer.absence(since: clock.now, at: clock.now) == left)
        }
    }

    @Test("the application doesn't leave when its time is up while a group keeps it")
    func kept() async throws {
        let clock = ManualClock()
        let buffer = FetchBuffer(timing: clock.timing)
        var reader = buffer.makeReader()
        _ = try buffer.beginNext(&reader)
        let taking = Task { try await buffer.take(timeout: .seconds(5)) }
        await clock.sleeper(for: .seconds(5))
        #expect(await buffer.quiesce())
        clock.advance(by: .seconds(5))
        #expect(buffer.absence(since: clock.now, at: clock.now) == nil)
        buffer.permitTimeouts()
        guard case .nothing = try await taking.value else {
            Issue.record("a part arrived")
            return
        }
        #expect(buffer.absence(since: .now, at: clock.now) == clock.now)
    }
}
