import CommandLineSupport
import Foundation
import KafkaWire
import PGWire
import TestSupport
import Testing

/// A test's own topics, group, schema and mapping, with a table that records the origin of each row.
struct GroupPipeline: Sendable {
    let kafka: KafkaCluster
    let postgres: PostgresServer
    let client: KafkaClient
    /// The name of the schema, and the prefix of the topics' names.
    let name: String
    let folder: TemporaryFolder

    private static let clusters = SharedServers<KafkaCluster>()

    /// Sessions of a few seconds, so that a killed member is replaced soon.
    private static let brokerSettings = [
        "group.min.session.timeout.ms": "1000", "group.consumer.min.session.timeout.ms": "1000",
        "group.consumer.session.timeout.ms": "4000", "group.consumer.min.heartbeat.interval.ms": "100",
        "group.consumer.heartbeat.interval.ms": "300",
    ]
    private static let memberSettings = [
        "--property", "session.timeout.ms=4000", "--property", "heartbeat.interval.ms=300",
        "--property", "metadata.max.age.ms=500",
    ]

    /// Creates the tables and a topic `NAME-a`.
    ///
    /// - Parameters:
    ///   - settings: Further lines of the mapping.
    ///   - postgres: The server; nil for the shared one.
    static func make(
        _ home: KafkaHome, partitions: Int32 = 4, settings: String = "", postgres: PostgresServer? = nil
    ) async throws -> GroupPipeline {
        let kafka = try await clusters.server(home.path) {
            try await KafkaCluster.start(home, settings: brokerSettings)
        }
        let server = if let postgres { postgres } else { try await PostgresServer.shared() }
        let pipeline = GroupPipeline(
            kafka: kafka, postgres: server,
            client: try KafkaClient(bootstrapServers: kafka.bootstrap, properties: ["linger.ms": "5"]),
            name: "g" + String(UInt64.random(in: 0..<(1 << 40)), radix: 36), folder: try TemporaryFolder())
        try await pipeline.client.admin.createTopic(pipeline.topic("a"), partitions: partitions)
        let initial = try await run(
            try Repository.program("tfi-consumer"),
            ["init", "--offsets-only", "--database", server.uri, "--schema", pipeline.name])
        guard initial.status == 0 else { throw ProgramError("init ended with \(initial.status): \(initial.err)") }
        try await pipeline.sql("CREATE TABLE item (topic text, partition int, \"offset\" bigint, id bigint)")
        try """
        routes:
          - topic: \(pipeline.name)-.*
            table: \(pipeline.name).item
            columns:
              topic: { record: topic }
              partition: { record: partition }
              offset: { record: offset }
              id: id
        \(settings)
        """.write(to: pipeline.mapping, atomically: true, encoding: .utf8)
        return pipeline
    }

    func topic(_ suffix: String) -> String { "\(name)-\(suffix)" }
    private var mapping: URL { folder.url.appending(path: "mapping.yaml") }

    // MARK: Programs

    private func arguments(_ more: [String]) -> [String] {
        [
            "run", "--mapping", mapping.path, "--group", name, "--database", postgres.uri, "--schema", name,
            "--bootstrap-servers", kafka.bootstrap, "--summary-json",
        ] + Self.memberSettings + more
    }

    func start(_ more: [String] = []) async throws -> RunningProgram {
        try await RunningProgram.start(try Repository.program("tfi-consumer"), arguments(more))
    }

    func catchUp(_ more: [String] = []) async throws -> ProgramResult {
        try await run(
            try Repository.program("tfi-consumer"), arguments(["--until-caught-up"] + more), timeout: .seconds(60))
    }

    /// Ends a run by SIGTERM, expects status 0, and returns the number of records that it reports as committed.
    @discardableResult
    func end(_ member: RunningProgram, _ location: SourceLocation = #_sourceLocation) async throws -> Int {
        try records(try await endInOrder(member, within: .seconds(7), location))
    }

    func records(_ result: ProgramResult) throws -> Int {
        let summary = try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: Any]
        return try #require(summary?["records"] as? Int)
    }

    // MARK: Database

    @discardableResult
    func sql(_ text: String) async throws -> [[String]] {
        try await postgres.sql(text, in: name).texts
    }

    func rows() async throws -> Int { Int(try await sql("SELECT count(*) FROM item")[0][0]) ?? -1 }

    /// Waits until the group has committed everything in a topic, and expects each record exactly once.
    func expectExact(
        _ suffix: String = "a", members: [RunningProgram] = [], timeout: Duration = .seconds(60),
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let topic = topic(suffix)
        let described = try await client.admin.describe(topics: [topic])[0]
        let ends = try await client.admin.listOffsets(
            Dictionary(
                uniqueKeysWithValues: described.partitions.map {
                    (TopicPartition(topic: topic, partition: $0.partition), OffsetSpec.latest)
                }))
        let expected = ends.sorted { $0.key < $1.key }.map { ["\($0.key.partition)", "\($0.value.offset)"] }
        try await eventually("everything is committed", timeout: timeout, every: .milliseconds(100)) {
            for member in members where !member.isRunning { throw ProgramError(try member.errors()) }
            return try await sql(
                "SELECT partition, next_offset FROM kafka_offset WHERE topic = '\(topic)' ORDER BY 1") == expected
        }
        let rows = try await sql(
            """
            SELECT partition, count(*), count(DISTINCT "offset"), min("offset"), max("offset") + 1
            FROM item WHERE topic = '\(topic)' GROUP BY 1 ORDER BY 1
            """)
        let exact = expected.filter { $0[1] != "0" }.map { [$0[0], $0[1], $0[1], "0", $0[1]] }
        #expect(rows == exact, sourceLocation: location)
    }

    // MARK: Kafka

    /// Waits until the group has this many members, each with partitions.
    func expectMembers(_ count: Int) async throws {
        try await eventually("\(count) members have partitions", timeout: .seconds(60), every: .milliseconds(100)) {
            let group = try await client.admin.describeGroups([name])[name]?.get()
            return group?.members.count == count && group?.members.allSatisfy { !$0.assignment.isEmpty } == true
        }
    }

    /// Sends records until it is asked to stop, with ascending ids to the partitions in turn.
    ///
    /// - Returns: The number of records sent.
    func send(partitions: Int, until stop: StopSignal) async throws -> Int {
        var count = 0
        while !stop.isRequested {
            try await send(count..<count + 400, partitions: partitions)
            count += 400
            // Spreads the records over time; nothing is awaited by it.
            try await Task.sleep(for: .milliseconds(50))
        }
        return count
    }

    /// Sends records with ascending ids to the partitions in turn.
    func send(
        _ ids: Range<Int>, to suffix: String = "a", partitions: Int = 4, waves: Int = 1, pause: Duration = .zero
    ) async throws {
        let (topic, size) = (topic(suffix), max(1, (ids.count + waves - 1) / waves))
        let producer = client.producer()
        for begin in stride(from: ids.lowerBound, to: ids.upperBound, by: size) {
            var deliveries: [Delivery] = []
            for id in begin..<min(begin + size, ids.upperBound) {
                deliveries.append(
                    try await producer.enqueue(
                        ProducerRecord(
                            topic: topic, partition: Int32(id % partitions), value: Array("{\"id\":\(id)}".utf8))))
            }
            await producer.flush()
            for delivery in deliveries { _ = try await delivery.metadata }
            // Spreads the records over time; nothing is awaited by it.
            if pause > .zero { try await Task.sleep(for: pause) }
        }
        await producer.close()
    }
}
