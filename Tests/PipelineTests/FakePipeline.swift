import Foundation
import KafkaFake
import KafkaWire
import PGWire
import TestSupport
import Testing

/// A test's own fake cluster, and its schema in a real Postgres, for tests about the database.
final class FakePipeline: Sendable {
    static let topic = "TFI"

    let fake: FakeCluster
    let postgres: PostgresServer
    let schema: String
    let client: KafkaClient

    private init(_ fake: FakeCluster, _ postgres: PostgresServer, _ schema: String) throws {
        self.fake = fake
        self.postgres = postgres
        self.schema = schema
        client = try KafkaClient(bootstrapServers: fake.bootstrapServers, properties: ["linger.ms": "5"])
    }

    /// Creates topic and tables.
    static func make(partitions: Int = 2, postgres: PostgresServer? = nil) async throws -> FakePipeline {
        let fake = try FakeCluster()
        fake.createTopic(topic, partitions: partitions)
        let server = if let postgres { postgres } else { try await PostgresServer.shared() }
        let pipeline = try FakePipeline(fake, server, "f" + String(UInt64.random(in: 0..<(1 << 40)), radix: 36))
        let result = try await run(
            try Repository.program("tfi-consumer"), ["init", "--database", server.uri, "--schema", pipeline.schema])
        guard result.status == 0 else { throw ProgramError("init ended with \(result.status): \(result.err)") }
        return pipeline
    }

    func close() async {
        await client.close()
        await fake.close()
    }

    // MARK: Programs

    var arguments: [String] { ["--schema", schema, "--bootstrap-servers", fake.bootstrapServers] }

    func catchUp(
        _ more: [String] = [], database: String? = nil, timeout: Duration = .seconds(60)
    ) async throws -> ProgramResult {
        try await run(
            try Repository.program("tfi-consumer"),
            ["run", "--until-caught-up", "--summary-json", "--database", database ?? postgres.uri] + arguments + more,
            timeout: timeout)
    }

    func startConsumer(_ more: [String] = [], database: String? = nil) async throws -> RunningProgram {
        try await RunningProgram.start(
            try Repository.program("tfi-consumer"),
            ["run", "--database", database ?? postgres.uri] + arguments + more)
    }

    // MARK: Database

    /// Runs SQL with the test's schema as the search path, and returns the rows as text.
    @discardableResult
    func sql(_ text: String) async throws -> [[String]] {
        try await postgres.sql(text, in: schema).texts
    }

    func number(_ text: String) async throws -> Int {
        guard let value = try await sql(text).first?.first.flatMap({ Int($0) }) else {
            throw ProgramError("no number: \(text)")
        }
        return value
    }

    /// The units in `ucp`, ascending.
    func units() async throws -> [Int] {
        try await sql("SELECT qls_unit_id FROM ucp ORDER BY 1").compactMap { Int($0[0]) }
    }

    /// The units of the dead letters, ascending.
    func deadUnits() async throws -> [Int] {
        try await sql(
            "SELECT (convert_from(value, 'UTF8')::jsonb ->> 'qls_unit_id')::int FROM dead_letter ORDER BY 1"
        ).compactMap { Int($0[0]) }
    }

    /// The sum of the group's offsets.
    func committed() async throws -> Int { try await number("SELECT coalesce(sum(next_offset), 0) FROM kafka_offset") }

    // MARK: Kafka

    /// A passage of a unit at a collection point, in the partition given by the unit's id.
    func passage(_ unit: Int, zone: Int = 7, partitions: Int = 2) -> ProducerRecord {
        ProducerRecord(
            topic: Self.topic, partition: Int32(unit % partitions), key: Array("unit_collection_point".utf8),
            value: Array(
                """
                {"qls_unit_id":\(unit),"unit_collection_pt_timestamp":"2024-03-12 08:00:00.0",\
                "collection_point_id":40,"zone_id":\(zone)}
                """.utf8))
    }

    /// Sends records and waits until all are written.
    func send(_ records: [ProducerRecord]) async throws {
        let producer = client.producer()
        var deliveries: [Delivery] = []
        for record in records { deliveries.append(try await producer.enqueue(record)) }
        await producer.flush()
        for delivery in deliveries { _ = try await delivery.metadata }
        await producer.close()
    }
}

/// Tests between the fake cluster and a real Postgres. Serialized, since each runs several processes.
@Suite(
    .serialized, .timeLimit(.minutes(3)),
    .enabled(if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)"))
struct DatabaseTests {}
