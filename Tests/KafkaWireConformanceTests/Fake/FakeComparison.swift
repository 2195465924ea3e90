import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// The fake's answers beside a real broker's: the same requests to both, and what comes line by line.
    @Suite(needsKafka) struct FakeComparison {
        /// Runs a conversation with a real broker and with the fake as that version.
        ///
        /// - Parameter talk: Gives a line for each answer, with nothing in it that differs from broker to broker.
        private func compare(
            _ home: KafkaHome, partitions: Int32 = 4, _ talk: (String, String) async throws -> [String]
        ) async throws {
            let real = try await TopicFixture(home, partitions: partitions)
            let expected = try await talk(real.cluster.bootstrap, real.topic)
            let fake = try FakeCluster(versions: home.isVersion4 ? .latest : .kafka39)
            fake.createTopic(real.topic, partitions: Int(partitions))
            let found = try await talk(fake.bootstrapServers, real.topic)
            await fake.close()
            #expect(found == expected)
            let difference = found.difference(from: expected)
            for change in difference {
                switch change {
                case .remove(let line, let text, _): Issue.record("Kafka \(line): \(text)")
                case .insert(let line, let text, _): Issue.record("fake \(line): \(text)")
                }
            }
        }

        @Test(arguments: KafkaHome.all) func transactions(_ home: KafkaHome) async throws {
            try await compare(home) { bootstrap, topic in
                try await TransactionTalk.run(bootstrap, topic, isVersion2: false)
            }
        }

        @Test(arguments: KafkaHome.all.filter(\.isVersion4)) func transactionsOfVersion2(_ home: KafkaHome) async throws
        {
            try await compare(home) { bootstrap, topic in
                try await TransactionTalk.run(bootstrap, topic, isVersion2: true)
            }
        }

        @Test(arguments: KafkaHome.all) func classicGroups(_ home: KafkaHome) async throws {
            try await compare(home) { try await ClassicGroupTalk.run($0, $1) }
        }

        @Test(arguments: KafkaHome.all) func staticMembers(_ home: KafkaHome) async throws {
            try await compare(home) { try await ClassicGroupTalk.runStatic($0, $1) }
        }

        @Test(arguments: KafkaHome.all.filter(\.isVersion4)) func consumerGroups(_ home: KafkaHome) async throws {
            try await compare(home) { try await ConsumerGroupTalk.run($0, $1) }
        }
    }
}

extension KafkaHome {
    /// Whether its brokers have KIP-848 groups and transactions of version 2 from the start.
    fileprivate var isVersion4: Bool {
        version.split(separator: ".").first.flatMap { Int($0) }.map { $0 >= 4 } ?? false
    }
}

/// One client that says to a coordinator exactly what a test wants, and notes what it hears.
struct Talker {
    let client: KafkaClient
    let connection: NegotiatedConnection

    init(_ bootstrap: String, coordinator: Coordinated) async throws {
        client = try KafkaClient(bootstrapServers: bootstrap, properties: [:])
        let cluster = client.cluster
        let address = try await cluster.retrying(operation: "find the coordinator") {
            try await cluster.connection(to: coordinator, role: .group)
        }
        connection = address
    }

    func call<R: KafkaRequest>(_ request: R, upTo limit: Int16 = .max) async throws -> R.Response {
        try await connection.call(request, timeout: .seconds(30), upTo: limit)
    }

    /// Asks again as long as the answer is one that only time changes.
    func call<R: KafkaRequest>(
        _ request: R, upTo limit: Int16 = .max, code: (R.Response) -> Int16?
    ) async throws -> R.Response {
        let passing: [ErrorCode] = [
            .concurrentTransactions, .coordinatorLoadInProgress, .coordinatorNotAvailable, .notCoordinator,
        ]
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let response = try await call(request, upTo: limit)
            let isPassing = code(response).map { passing.contains(ErrorCode(rawValue: $0)) } ?? false
            guard isPassing, .now < deadline else { return response }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
