import KafkaWire
import Synchronization
import TestSupport
import Testing

extension RealKafka {
    @Suite(needsKafka, .timeLimit(.minutes(2))) struct ParallelProcessing {
        @Test("two members process each key in order and commit everything", arguments: KafkaHome.all)
        func twoMembers(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 4)
            let group = uniqueName()
            let producer = fixture.client.producer()
            for number in 0..<400 {
                _ = try await producer.enqueue(
                    ProducerRecord(
                        topic: fixture.topic, partition: Int32(number % 4), key: "\(number % 20)", value: "\(number)"))
            }
            #expect(await producer.close().undeliveredRecords == 0)
            let seen = KeyLedger()
            let first = try member(fixture, group)
            let second = try member(fixture, group)
            let firstProcessing = try await process(first, fixture, seen)
            // The second member joins while the first one processes.
            while seen.offsets.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            let secondProcessing = try await process(second, fixture, seen)
            let partitions = (0..<4).map { fixture.partition($0) }
            while try await first.committed(partitions).values.reduce(0, { $0 + $1.offset }) < 400 {
                try await Task.sleep(for: .milliseconds(50))
            }
            await first.close()
            await second.close()
            try await firstProcessing.value
            try await secondProcessing.value
            // A graceful rebalance repeats nothing.
            let offsets = seen.offsets
            #expect(offsets.values.reduce(0) { $0 + $1.count } == 400)
            #expect(offsets.values.allSatisfy { $0 == $0.sorted() })
        }

        private func member(_ fixture: TopicFixture, _ group: String) throws -> KafkaConsumer {
            try fixture.client([
                "enable.auto.commit": "false", "auto.offset.reset": "earliest", "auto.commit.interval.ms": "200",
                "heartbeat.interval.ms": "100",
            ]).consumer(group: group)
        }

        private func process(
            _ consumer: KafkaConsumer, _ fixture: TopicFixture, _ seen: KeyLedger
        ) async throws -> Task<Void, any Error> {
            try await consumer.subscribe(to: .topics([fixture.topic]))
            return Task {
                try await consumer.process { record in
                    // As a slow service, so that the rebalance meets records in progress.
                    try await Task.sleep(for: .milliseconds(5))
                    seen.note(record)
                }
            }
        }
    }
}

/// The offsets that were processed for each key, in order.
private final class KeyLedger: Sendable {
    private let state = Mutex<[[UInt8]?: [Int64]]>([:])

    func note(_ record: ConsumerRecord) {
        state.withLock { $0[record.key, default: []].append(record.offset) }
    }

    var offsets: [[UInt8]?: [Int64]] { state.withLock { $0 } }
}
