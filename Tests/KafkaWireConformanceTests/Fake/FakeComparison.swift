import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

extension RealKafka {
    /// Sends the same requests to the fake cluster and to a real broker, and compares the answers line by line.
    @Suite(needsKafka) struct FakeComparison {
        /// Runs an exchange with a real broker and with a fake cluster of that version.
        ///
        /// - Parameter exchange: Returns a line for each answer, without anything that differs between brokers.
        private func compare(
            _ home: KafkaHome, partitions: Int32 = 4, _ exchange: (String, String) async throws -> [String]
        ) async throws {
            let real = try await TopicFixture(home, partitions: partitions)
            let expected = try await exchange(real.cluster.bootstrap, real.topic)
            let fake = try FakeCluster(versions: home.isVersion4 ? .latest : .kafka39)
            fake.createTopic(real.topic, partitions: Int(partitions))
            let found = try await exchange(fake.bootstrapServers, real.topic)
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
                try await TransactionExchange.run(bootstrap, topic, isVersion2: false)
            }
        }

        @Test(arguments: KafkaHome.all.filter(\.isVersion4)) func transactionsOfVersion2(_ home: KafkaHome) async throws
        {
            try await compare(home) { bootstrap, topic in
                try await TransactionExchange.run(bootstrap, topic, isVersion2: true)
            }
        }

        @Test(arguments: KafkaHome.all) func classicGroups(_ home: KafkaHome) async throws {
            try await compare(home) { try await ClassicGroupExchange.run($0, $1) }
        }

        @Test(arguments: KafkaHome.all) func staticMembers(_ home: KafkaHome) async throws {
            try await compare(home) { try await ClassicGroupExchange.runStatic($0, $1) }
        }

        @Test(arguments: KafkaHome.all.filter(\.isVersion4)) func consumerGroups(_ home: KafkaHome) async throws {
            try await compare(home) { try await ConsumerGroupExchange.run($0, $1) }
        }
    }
}

extension KafkaHome {
    /// Whether its brokers support KIP-848 groups and transactions of version 2 by default.
    fileprivate var isVersion4: Bool {
        version.split(separator: ".").first.flatMap { Int($0) }.map { $0 >= 4 } ?? false
    }
}

/// A client that sends single requests to a coordinator.
struct CoordinatorClient {
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

    /// Sends a request, and retries it for up to 30 s while the answer is a transient error.
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
