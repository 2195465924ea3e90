import Concurrency
import Foundation
import KafkaWire
import PGWire
import TestSupport

/// Three brokers and a Postgres, each behind a relay that can cut its connections.
final class Site: Sendable {
    static let schema = "chaos"
    static let brokerCount = 3
    private static let replicas: Int16 = 3

    let topics: [String]
    let partitionsPerTopic: Int
    let kafka: KafkaCluster
    let postgres: PostgresServer
    private let brokerRelays: [CuttingRelay]
    private let databaseRelay: CuttingRelay

    /// The brokers' addresses, through the relays.
    let bootstrap: String
    /// The database's URI, through the relay.
    let database: String

    /// Brokers and coordinators detect failures soon, so that many faults fit into a minute.
    private static let settings = [
        "broker.session.timeout.ms": "6000", "broker.heartbeat.interval.ms": "1000",
        "replica.lag.time.max.ms": "10000",
        // Preferred leaders lead again soon after a broker is back, or their order has changed.
        "auto.leader.rebalance.enable": "true", "leader.imbalance.check.interval.seconds": "2",
        "leader.imbalance.per.broker.percentage": "0",
        "group.min.session.timeout.ms": "3000", "group.consumer.min.session.timeout.ms": "3000",
        "group.consumer.session.timeout.ms": "6000", "group.consumer.min.heartbeat.interval.ms": "500",
        "group.consumer.heartbeat.interval.ms": "1000",
    ]

    /// Starts the servers.
    ///
    /// - Throws: `ProgramError`.
    static func start(_ home: KafkaHome, topics: Int, partitionsPerTopic: Int) async throws -> Site {
        // The ports of the brokers' relays are N1, N2 and N3, since a setting can only contain the broker's number.
        let (prefix, relays) = try relayPorts()
        let port = try freePort(followedBy: brokerCount - 1)
        for (index, relay) in relays.enumerated() { relay.start(to: port + index) }
        async let kafka = KafkaCluster.start(
            home, brokers: brokerCount, port: port,
            settings: settings.merging(["advertised.listeners": "PLAINTEXT://127.0.0.1:\(prefix)%I"]) { $1 })
        async let postgres = PostgresServer.start(settings: ["shared_buffers": "128MB"])
        return try Site(
            kafka: try await kafka, postgres: try await postgres, relays: relays, topics: topics,
            partitionsPerTopic: partitionsPerTopic)
    }

    private static func relayPorts() throws -> (prefix: Int, relays: [CuttingRelay]) {
        for _ in 0..<100 {
            let prefix = Int.random(in: 1_000..<3_200)
            let relays = (1...brokerCount).compactMap { try? CuttingRelay(port: prefix * 10 + $0) }
            if relays.count == brokerCount { return (prefix, relays) }
            for relay in relays { relay.close() }
        }
        throw ProgramError("no free ports for the brokers' relays")
    }

    private init(
        kafka: KafkaCluster, postgres: PostgresServer, relays: [CuttingRelay], topics: Int, partitionsPerTopic: Int
    ) throws {
        self.kafka = kafka
        self.postgres = postgres
        self.partitionsPerTopic = partitionsPerTopic
        self.topics = (1...topics).map { "chaos-\($0)" }
        brokerRelays = relays
        databaseRelay = try CuttingRelay()
        databaseRelay.start(to: postgres.port)
        bootstrap = relays.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        database = postgres.uri.replacing(":\(postgres.port)/", with: ":\(databaseRelay.port)/")
    }

    /// The logs of the servers, by name.
    var logs: [String: URL] {
        var logs = ["database": postgres.log]
        for broker in 1...Self.brokerCount {
            logs["broker-\(broker)"] = kafka.folder(broker: broker).appending(path: "log")
        }
        return logs
    }

    /// Stops the servers and removes their data.
    func shutDown() async {
        try? await kafka.shutDown()
        try? await postgres.shutDown()
        for relay in brokerRelays + [databaseRelay] { relay.close() }
    }

    // MARK: Preparation

    var partitions: [TopicPartition] {
        topics.flatMap { topic in
            (0..<partitionsPerTopic).map { TopicPartition(topic: topic, partition: Int32($0)) }
        }
    }

    /// The path of the mapping file that `prepare` writes.
    var mapping: String { kafka.folder.appending(path: "mapping.yaml").path }

    /// Creates the topics and tables, and writes the mapping.
    func prepare(with client: KafkaClient) async throws {
        for topic in topics {
            try await client.admin.createTopic(
                topic, partitions: Int32(partitionsPerTopic), replicationFactor: Self.replicas,
                configs: ["min.insync.replicas": "2"])
        }
        try Data(Reading.mapping(schema: Self.schema).utf8).write(to: URL(filePath: mapping))
        let result = try await run(
            try Repository.program("tfi-consumer"),
            ["init", "--offsets-only", "--database", postgres.uri, "--schema", Self.schema])
        guard result.status == 0 else { throw ProgramError("tfi-consumer init failed: \(result.err)") }
        _ = try await query("SET search_path = \(Self.schema); \(Reading.definition)")
    }

    /// Runs SQL over a separate connection that no fault cuts.
    func query(_ sql: String) async throws -> [PostgresRow] {
        let connection = try await PostgresConnection.connect(to: postgres.uri)
        do {
            let rows = try await connection.execute(sql).rows
            await connection.close()
            return rows
        } catch {
            await connection.close()
            throw error
        }
    }

    // MARK: Faults

    /// - Returns: The number of connections that were cut.
    func cutDatabase() -> Int { databaseRelay.cut() }

    /// - Parameter broker: Counted from 1.
    /// - Returns: The number of connections that were cut.
    func cutBroker(_ broker: Int) -> Int { brokerRelays[broker - 1].cut() }

    /// Moves each partition's leader to the end of its replicas, so that the controller elects the first one.
    func moveLeaders(of topic: String, with client: KafkaClient) async throws {
        let partitions = try await client.admin.describe(topics: [topic])[0].partitions
        let moves = partitions.map { partition in
            let leader = partition.leader ?? partition.replicas.first ?? 1
            let replicas = (partition.replicas.filter { $0 != leader } + [leader]).map { "\($0)" }
            return
                "{\"topic\":\"\(topic)\",\"partition\":\(partition.partition),\"replicas\":[\(replicas.joined(separator: ","))]}"
        }
        let file = kafka.folder.appending(path: "\(topic).json")
        try Data("{\"version\":1,\"partitions\":[\(moves.joined(separator: ","))]}".utf8).write(to: file)
        let result = try await kafka.tool(
            "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
            ["--bootstrap-server", bootstrap, "--reassignment-json-file", file.path, "--execute"])
        guard result.status == 0 else { throw ProgramError("\(result.out)\(result.err)") }
    }
}
