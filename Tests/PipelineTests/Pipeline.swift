import Foundation
import KafkaWire
import PGWire
import TestSupport

/// Whether an environment variable is set and not empty.
func isSet(_ variable: String) -> Bool {
    ProcessInfo.processInfo.environment[variable]?.isEmpty == false
}

/// A test's own topic, group and schema.
struct Pipeline: Sendable {
    let kafka: KafkaCluster
    let postgres: PostgresServer
    let topic: String
    let schema: String
    let partitions: Int32
    let client: KafkaClient

    /// Creates topic and tables.
    ///
    /// - Parameters:
    ///   - kafka: The cluster; nil for the shared one.
    ///   - postgres: The server; nil for the shared one.
    static func make(
        partitions: Int32 = 4, kafka: KafkaCluster? = nil, postgres: PostgresServer? = nil,
        schema: String? = nil, isPrepared: Bool = true
    ) async throws -> Pipeline {
        guard let home = KafkaHome.newest else { throw ProgramError(KafkaHome.skipReason) }
        let cluster = if let kafka { kafka } else { try await KafkaCluster.shared(home) }
        let server = if let postgres { postgres } else { try await PostgresServer.shared() }
        let name = "t" + String(UInt64.random(in: 0..<(1 << 40)), radix: 36)
        let client = try KafkaClient(
            bootstrapServers: cluster.bootstrap, properties: ["client.id": "pipeline-tests", "linger.ms": "5"])
        let pipeline = Pipeline(
            kafka: cluster, postgres: server, topic: name, schema: schema ?? name, partitions: partitions,
            client: client)
        try await client.admin.createTopic(name, partitions: partitions)
        if isPrepared { try await pipeline.prepare() }
        return pipeline
    }

    /// Runs `tfi-consumer init`.
    func prepare() async throws {
        let result = try await consumer(["init"] + databaseOptions)
        guard result.status == 0 else { throw ProgramError("init ended with \(result.status): \(result.err)") }
    }

    // MARK: Programs

    var databaseOptions: [String] { ["--database", postgres.uri, "--schema", schema] }
    var clusterOptions: [String] { ["--bootstrap-servers", kafka.bootstrap, "--topic", topic] }

    /// Runs `tfi-consumer` to its end.
    func consumer(
        _ arguments: [String], environment: [String: String] = [:], timeout: Duration = .seconds(90)
    ) async throws -> ProgramResult {
        try await run(
            try Repository.program("tfi-consumer"), arguments, environment: environment, timeout: timeout)
    }

    /// Runs `tfi-consumer run --until-caught-up --summary-json` to its end.
    func catchUp(_ more: [String] = [], timeout: Duration = .seconds(90)) async throws -> ProgramResult {
        try await consumer(
            ["run", "--until-caught-up", "--summary-json"] + clusterOptions + databaseOptions + more, timeout: timeout)
    }

    /// Starts `tfi-consumer run`.
    ///
    /// - Parameter database: Another address of the server; nil for the server itself.
    func startConsumer(_ more: [String] = [], database: String? = nil) async throws -> RunningProgram {
        try await RunningProgram.start(
            try Repository.program("tfi-consumer"),
            ["run", "--database", database ?? postgres.uri, "--schema", schema] + clusterOptions + more)
    }

    // MARK: Database

    /// Runs SQL with the test's schema as the search path.
    @discardableResult
    func sql(_ text: String) async throws -> PostgresResult {
        try await postgres.sql(text, in: schema)
    }

    /// The rows of a query as text; a null is `null`.
    func table(_ query: String) async throws -> [[String]] {
        let result = try await sql(query)
        return result.rows.map { row in result.columns.indices.map { row[$0] ?? "null" } }
    }

    /// Runs SQL that returns one number.
    func number(_ text: String) async throws -> Int {
        guard let value = try await table(text).first?.first.flatMap({ Int($0) }) else {
            throw ProgramError("no number: \(text)")
        }
        return value
    }

    /// The number of rows in `ucp`, the number of distinct units, and the sum of their ids.
    func tally() async throws -> Tally {
        let numbers = try await table(
            "SELECT count(*), count(DISTINCT qls_unit_id), coalesce(sum(qls_unit_id::bigint), 0) FROM ucp"
        )[0].compactMap { Int($0) }
        return Tally(rows: numbers[0], units: numbers[1], sum: numbers[2])
    }

    /// The offsets in the database by partition.
    func committed(group: String = "tfi-consumer") async throws -> [Int32: Int64] {
        var offsets: [Int32: Int64] = [:]
        let rows = try await table(
            "SELECT partition, next_offset FROM kafka_offset WHERE group_name = '\(group)' AND topic = '\(topic)'")
        for row in rows {
            if let partition = Int32(row[0]), let offset = Int64(row[1]) { offsets[partition] = offset }
        }
        return offsets
    }

    // MARK: Kafka

    /// The end offset of each partition.
    func ends() async throws -> [Int32: Int64] {
        let description = try await client.admin.describe(topics: [topic])[0]
        let specs = description.partitions.map {
            (TopicPartition(topic: topic, partition: $0.partition), OffsetSpec.latest)
        }
        let listed = try await client.admin.listOffsets(Dictionary(uniqueKeysWithValues: specs))
        return Dictionary(uniqueKeysWithValues: listed.map { ($0.key.partition, $0.value.offset) })
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

    /// A passage of a unit at a collection point, in the partition given by the unit's id.
    func passage(_ unit: Int, zone: Int = 7) -> ProducerRecord {
        let second = unit % 60 < 10 ? "0\(unit % 60)" : "\(unit % 60)"
        return ProducerRecord(
            topic: topic, partition: Int32(unit % Int(partitions)), key: Array("unit_collection_point".utf8),
            value: Array(
                """
                {"qls_unit_id":\(unit),"unit_collection_pt_timestamp":"2024-03-12 08:00:\(second).0",\
                "collection_point_id":40,"zone_id":\(zone)}
                """.utf8))
    }

    /// Sends passages of units with ascending ids and waits until all are written.
    ///
    /// - Parameter waves: The number of parts, each of which is written before the next one is sent.
    func send(units: Range<Int>, waves: Int = 1, pause: Duration = .zero) async throws {
        let size = (units.count + waves - 1) / waves
        let producer = client.producer()
        for begin in stride(from: units.lowerBound, to: units.upperBound, by: size) {
            var deliveries: [Delivery] = []
            for unit in begin..<min(begin + size, units.upperBound) {
                deliveries.append(try await producer.enqueue(passage(unit)))
            }
            await producer.flush()
            for delivery in deliveries { _ = try await delivery.metadata }
            // The waves spread the records over time; nothing is awaited by it.
            if pause > .zero { try await Task.sleep(for: pause) }
        }
        await producer.close()
    }
}

/// The expected tally of units with ascending ids.
struct Tally: Equatable {
    var rows: Int
    var units: Int
    var sum: Int

    init(rows: Int, units: Int, sum: Int) {
        (self.rows, self.units, self.sum) = (rows, units, sum)
    }

    /// Each of these units once.
    init(_ units: Range<Int>) {
        self.init(rows: units.count, units: units.count, sum: units.reduce(0, +))
    }
}
