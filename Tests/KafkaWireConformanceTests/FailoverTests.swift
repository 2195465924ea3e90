import Foundation
import KafkaWire
import Synchronization
import TestSupport
import Testing

extension RealKafka {
    /// Brokers fail and restart: no record is lost or duplicated, and the order is kept.
    @Suite(needsKafka) struct Failover {
        /// The client's reports about its brokers.
        private final class Events: Sendable {
            private let events = Mutex<[BrokerAvailability]>([])

            func append(_ event: BrokerAvailability) { events.withLock { $0.append(event) } }

            func count(of kind: (BrokerAvailability) -> Bool) -> Int { events.withLock { $0.count(where: kind) } }

            var lost: Int { count { if case .lost = $0 { true } else { false } } }
            var back: Int { count { if case .back = $0 { true } else { false } } }
        }

        private func start(_ properties: [String: String] = [:]) async throws -> (
            KafkaCluster, KafkaClient, Traffic, Events
        ) {
            let cluster = try await ThreeBrokers.cluster()
            let events = Events()
            let client = try KafkaClient(
                bootstrapServers: cluster.bootstrap,
                properties: ["auto.offset.reset": "none", "batch.size": "4000"].merging(properties) { $1 },
                hooks: ClientHooks(availabilityChanged: { events.append($0) }))
            let topic = uniqueName()
            try await client.admin.createTopic(topic, partitions: 6, replicationFactor: 3)
            return (cluster, client, await Traffic(client, topic: topic, partitions: 6), events)
        }

        @Test(.timeLimit(.minutes(5))) func eachBrokerIsKilled() async throws {
            let (cluster, client, traffic, events) = try await start()
            try await traffic.awaitProgress()
            for broker in 1...3 {
                try await cluster.kill(broker)
                try await traffic.awaitProgress()
                try await cluster.start(broker)
                try await ThreeBrokers.awaitInSync(traffic.topic, client: client)
                try await traffic.awaitProgress()
            }
            try await traffic.endAndCheck()
            #expect(events.lost >= 3)
            await client.close()
        }

        @Test(needsLongTests, .timeLimit(.minutes(5))) func eachBrokerIsStopped() async throws {
            let (cluster, client, traffic, _) = try await start()
            try await traffic.awaitProgress()
            for broker in 1...3 {
                try await cluster.stop(broker)
                try await traffic.awaitProgress()
                try await cluster.start(broker)
                try await ThreeBrokers.awaitInSync(traffic.topic, client: client)
                try await traffic.awaitProgress()
            }
            try await traffic.endAndCheck()
            await client.close()
        }

        /// A suspended broker keeps its connections open, so requests to it get no answer until they time out.
        /// Meanwhile other brokers lead its partitions.
        @Test(needsLongTests, .timeLimit(.minutes(5))) func eachBrokerHangs() async throws {
            let (cluster, client, traffic, _) = try await start(["request.timeout.ms": "4000"])
            try await traffic.awaitProgress()
            for broker in 1...3 {
                let file = try String(
                    contentsOf: cluster.folder(broker: broker).appending(path: "pid"), encoding: .utf8)
                let process = try #require(file.split(separator: " ").first.flatMap { Int32($0) })
                kill(process, SIGSTOP)
                do {
                    try await traffic.awaitProgress()
                } catch {
                    kill(process, SIGCONT)
                    throw error
                }
                kill(process, SIGCONT)
                try await ThreeBrokers.awaitInSync(traffic.topic, client: client)
                try await traffic.awaitProgress()
            }
            try await traffic.endAndCheck()
            await client.close()
        }

        @Test(.timeLimit(.minutes(5))) func allBrokersAreKilledAndRestarted() async throws {
            let (cluster, client, traffic, events) = try await start()
            let hasty = try KafkaClient(
                bootstrapServers: cluster.bootstrap, properties: ["delivery.timeout.ms": "5000"])
            let side = TopicPartition(topic: uniqueName(), partition: 0)
            func record(_ number: UInt8) -> ProducerRecord { ProducerRecord(topic: side.topic, value: [number]) }
            try await hasty.admin.createTopic(side.topic, partitions: 1, replicationFactor: 3)
            let producer = hasty.producer()
            // On a busy machine a new topic's leader takes longer to start than the hasty producer waits.
            let patient = client.producer()
            _ = try await patient.send(record(1))
            await patient.close()
            try await ThreeBrokers.awaitInSync(side.topic, client: client)
            _ = try await producer.send(record(2))
            try await traffic.awaitProgress()
            for broker in 1...3 { try await cluster.kill(broker) }
            try await eventually("the client reports every broker as lost") { events.lost >= 3 }
            // A producer with a short delivery timeout fails the record, and works again afterwards.
            let start = ContinuousClock.now
            let error = try await kafkaError { _ = try await producer.send(record(3)) }
            #expect(error.code == .requestTimedOut)
            #expect(error.topic == side.topic)
            #expect(.now - start < .seconds(15))
            // A broker is only ready with a quorum, so start all of them at the same time.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for broker in 1...3 { group.addTask { try await cluster.start(broker) } }
                try await group.waitForAll()
            }
            try await traffic.awaitProgress()
            try await traffic.endAndCheck()
            #expect(events.back >= 1)
            for topic in [traffic.topic, side.topic] {
                try await ThreeBrokers.awaitInSync(topic, client: client)
            }
            _ = try await producer.send(record(4))
            await producer.close()
            var reading = await client.read([side: .earliest])
            let values = try await reading.recordsToTheEnd(of: [side], client: client).map(\.value)
            #expect(values == [[1], [2], [4]])
            await hasty.close()
            await client.close()
        }

        /// The leader is killed while a consumer reads from it.
        @Test(.timeLimit(.minutes(5))) func brokerIsKilledWhileReading() async throws {
            let cluster = try await ThreeBrokers.cluster()
            let client = try KafkaClient(
                bootstrapServers: cluster.bootstrap,
                properties: [
                    "auto.offset.reset": "none", "fetch.max.bytes": "20000", "max.partition.fetch.bytes": "10000",
                    "batch.size": "4000",
                ])
            let topic = uniqueName()
            try await client.admin.createTopic(topic, partitions: 3, replicationFactor: 3)
            let partitions = (0..<3).map { TopicPartition(topic: topic, partition: $0) }
            let producer = client.producer()
            for number in 0..<6000 {
                for partition in partitions {
                    _ = try await producer.enqueue(
                        ProducerRecord(
                            topic: topic, partition: partition.partition, value: Array("0 \(number)".utf8)))
                }
            }
            await producer.close()
            var reading = await client.read(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
            var check = SequenceCheck()
            for record in try await reading.records(3000) { check.take(record, step: 1) }
            let leader = try #require(
                try await client.admin.describe(topics: [topic])[0].partitions[0].leader)
            try await cluster.kill(Int(leader))
            let rest = try await reading.recordsToTheEnd(of: partitions, client: client)
            for record in rest { check.take(record, step: 1) }
            #expect(check.problems == [])
            #expect(check.count == 18_000)
            try await cluster.start(Int(leader))
            try await ThreeBrokers.awaitInSync(topic, client: client)
            await client.close()
        }
    }
}
