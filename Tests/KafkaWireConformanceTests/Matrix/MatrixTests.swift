import Foundation
import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Tests all capabilities with each broker and kind of security. Writes the table to .build/matrix.md, which must
    /// equal the one in docs/compatibility.md.
    @Suite(needsKafka) struct Matrix {
        @Test func allBrokers() async throws {
            var table = MatrixTable()
            var isWhole = true
            let kinds = KafkaHome.all.map(BrokerKind.kafka) + [.kfake, .tansu, .kafkaFake]
            for kind in kinds {
                if await kind.missing() != nil {
                    isWhole = false
                    continue
                }
                for security in KafkaSecurity.allCases {
                    table.add(kind, security, await tryOut(kind, security))
                }
            }
            try table.markdown.write(
                to: Repository.root.appending(path: ".build/matrix.md"), atomically: true, encoding: .utf8)
            // If some brokers are missing on this machine, the table is shorter.
            guard isWhole, KafkaHome.all.count > 1 else { return }
            let document = try String(
                contentsOf: Repository.root.appending(path: "docs/compatibility.md"), encoding: .utf8)
            #expect(
                document.contains(table.markdown),
                "the table in docs/compatibility.md isn't what was seen: \(table.markdown)")
        }

        private func tryOut(_ kind: BrokerKind, _ security: KafkaSecurity) async -> [Capability: MatrixTable.Cell] {
            var cells: [Capability: MatrixTable.Cell] = [:]
            do {
                if let reason = kind.exclusion(security) {
                    for capability in Capability.allCases { cells[capability] = .excluded(reason) }
                    return cells
                }
                let access = try await kind.access(security)
                let trial = try await Trial(access)
                for capability in Capability.allCases {
                    if let reason = kind.exclusion(capability) {
                        cells[capability] = .excluded(reason)
                        continue
                    }
                    do {
                        try await trial.carryOut(capability)
                        cells[capability] = .works
                    } catch {
                        Issue.record("\(kind), \(security), \(capability.rawValue): \(error)")
                    }
                }
                await trial.end()
            } catch {
                Issue.record("\(kind), \(security): \(error)")
            }
            return cells
        }
    }
}

/// One client with one broker.
private struct Trial {
    private let access: BrokerKind.Access
    private let client: KafkaClient
    private let topic = uniqueName()
    private var partition: TopicPartition { TopicPartition(topic: topic, partition: 0) }
    private static let count = 10

    init(_ access: BrokerKind.Access) async throws {
        self.access = access
        client = try KafkaClient(
            bootstrapServers: access.bootstrap,
            properties: ["auto.offset.reset": "earliest"].merging(access.properties) { $1 })
        try await client.admin.createTopic(topic, partitions: 1, replicationFactor: 1)
    }

    func end() async {
        await client.close()
    }

    /// Creates another client of the same broker.
    private func client(_ properties: [String: String]) throws -> KafkaClient {
        try KafkaClient(
            bootstrapServers: access.bootstrap,
            properties: ["auto.offset.reset": "earliest"].merging(access.properties) { $1 }
                .merging(properties) { $1 })
    }

    func carryOut(_ capability: Capability) async throws {
        switch capability {
        case .produce: try await produce()
        case .fetch: try await fetch()
        case .classicGroup: try await group("classic")
        case .consumerGroup: try await group("consumer")
        case .transactions: try await transactions()
        }
    }

    private func produce() async throws {
        let producer = client.producer()
        for number in 0..<Self.count {
            let written = try await producer.send(
                ProducerRecord(topic: topic, partition: 0, value: Array("\(number)".utf8)))
            try #require(written.offset == Int64(number))
        }
        await producer.close()
    }

    private func fetch() async throws {
        var reading = await client.read([partition: .earliest])
        let values = try await reading.records(Self.count).map(\.text)
        try #require(values == (0..<Self.count).map { "\($0)" })
    }

    /// Reads and commits as the only member of a group, and checks the committed offset.
    private func group(_ `protocol`: String) async throws {
        let client = try client(["group.id": uniqueName(), "group.protocol": `protocol`])
        let consumer = client.consumer()
        try await consumer.subscribe(to: .topics([topic]))
        var reading = Reading(consumer)
        let values = try await reading.records(Self.count).map(\.text)
        try #require(values == (0..<Self.count).map { "\($0)" })
        try await consumer.commit([partition: OffsetAndMetadata(Int64(Self.count))])
        try #require(try await consumer.committed([partition])[partition]?.offset == Int64(Self.count))
        await consumer.close()
        await client.close()
    }

    /// Aborts one transaction and commits another: `read_committed` returns only the second.
    private func transactions() async throws {
        let client = try client(["transactional.id": uniqueName(), "isolation.level": "read_committed"])
        let end = try await client.admin.listOffsets([partition: .latest])[partition]?.offset ?? 0
        let producer = client.producer()
        try await producer.initTransactions()
        for isCommitted in [false, true] {
            try await producer.beginTransaction()
            for number in 0..<Self.count {
                _ = try await producer.send(
                    ProducerRecord(topic: topic, partition: 0, value: Array("\(isCommitted) \(number)".utf8)))
            }
            if isCommitted {
                try await producer.commitTransaction()
            } else {
                try await producer.abortTransaction()
            }
        }
        await producer.close()
        var reading = await client.read([partition: .offset(end)])
        let values = try await reading.records(Self.count).map(\.text)
        try #require(values == (0..<Self.count).map { "true \($0)" })
        await client.close()
    }
}
