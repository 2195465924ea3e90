import CommandLineSupport
import Foundation
import IngestEngine
import KafkaFake
import KafkaWire
import PGWire
import TestSupport
import Testing

@testable import TFIConsumer

/// `tfi-consumer mapping` and `tfi-consumer infer`, started like by a shell.
@Suite("Proposals", .timeLimit(.minutes(2)))
struct ProposalTests {
    private func consumer(_ arguments: [String]) async throws -> ProgramResult {
        try await run(try Repository.program("tfi-consumer"), arguments)
    }

    /// Sends each message to the partition with its index, and closes the fake after the closure.
    private func withTopic(
        _ messages: [(key: String?, value: String?)], partitions: Int = 1,
        _ body: (FakeCluster) async throws -> Void
    ) async throws {
        let fake = try FakeCluster()
        fake.createTopic("press-events", partitions: partitions)
        let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
        let producer = client.producer()
        var deliveries: [Delivery] = []
        for (index, message) in messages.enumerated() {
            deliveries.append(
                try await producer.enqueue(
                    ProducerRecord(
                        topic: "press-events", partition: Int32(index % partitions),
                        key: message.key.map { Array($0.utf8) }, value: message.value.map { Array($0.utf8) })))
        }
        for delivery in deliveries { _ = try await delivery.metadata }
        await producer.close()
        await client.close()
        let result: Result<Void, any Error>
        do { result = .success(try await body(fake)) } catch { result = .failure(error) }
        await fake.close()
        try result.get()
    }

    private func infer(_ fake: FakeCluster, _ more: String...) async throws -> ProgramResult {
        try await consumer(["infer", "--bootstrap-servers", fake.bootstrapServers, "--topic", "press-events"] + more)
    }

    @Test("the plant's mapping is printed and read back")
    func mapping() async throws {
        let result = try await consumer(["mapping", "--schema", "Plant 2", "--topic", "T"])
        #expect(result.status == 0, "\(result.err)")
        #expect(
            result.out == """
                routes:
                  - topic: T
                    when: { key: unit_collection_point }
                    table: "Plant 2.ucp"
                  - topic: T
                    when: { key: unit_concern }
                    table: "Plant 2.uc"

                """)
        let read = try MappingFile.read(Array(result.out.utf8), named: "printed")
        #expect(read.routes.map(\.table) == ["ucp", "uc"].map { TableName(schema: "Plant 2", table: $0) })
    }

    @Test("a topic of one kind gives a table and a route without a condition")
    func one() async throws {
        let messages = (0..<30).map {
            ("k\($0)", "{\"id\":\($0),\"at\":\"2024-03-12 06:15:00\",\"order\":{\"no\":null}}")
        }
        try await withTopic(messages, partitions: 3) { fake in
            let result = try await infer(fake, "--table", "plant.press")
            #expect(result.status == 0, "\(result.err)")
            #expect(
                result.out == """
                    -- 30 messages of press-events

                    CREATE TABLE plant.press (
                        id integer NOT NULL,
                        at timestamp NOT NULL,
                        order_no text
                    );

                    # The mapping, for a file of its own:
                    routes:
                      - topic: press-events
                        table: plant.press
                        columns:
                          id: $.id
                          at: $.at
                          order_no: $.order.no

                    """)
            let sql = try await infer(fake, "--table", "plant.press", "--format", "sql")
            let yaml = try await infer(fake, "--table", "plant.press", "--format", "yaml")
            #expect(result.out.contains(sql.out))
            #expect(result.out.hasSuffix(yaml.out))
        }
    }

    @Test("each key gets a table, and other messages are counted")
    func several() async throws {
        let messages: [(String?, String?)] = [
            ("a", "{\"x\":1,\"y\":2}"), ("b", "{\"User\":\"u\"}"), ("a", "{\"x\":3000000000,\"y\":null}"), (nil, "{"),
            ("b", nil), ("b", "7"),
        ]
        try await withTopic(messages) { fake in
            let result = try await infer(fake, "--format", "json")
            #expect(result.status == 0, "\(result.err)")
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: Any])
            #expect(object["tombstones"] as? Int == 1)
            #expect(object["unreadable"] as? Int == 1)
            #expect(object["other_values"] as? Int == 1)
            let kinds = try #require(object["kinds"] as? [[String: Any]])
            #expect(kinds.map { $0["key"] as? String } == ["a", "b"])
            #expect(kinds.map { $0["table"] as? String } == ["a", "b"])
            let columns = try #require(kinds[0]["columns"] as? [[String: Any]])
            #expect(columns.map { $0["type"] as? String } == ["bigint", "integer"])
            #expect(columns.map { $0["not_null"] as? Bool } == [true, false])
            let sql = try #require(object["sql"] as? String)
            #expect(sql.hasSuffix("CREATE TABLE b (\n    \"user\" text NOT NULL\n);\n"))
            let text = try await infer(fake).out
            #expect(
                text.hasPrefix("-- 3 messages of press-events: 2 with key a, 1 with key b\n-- left out: 1 not JSON"))
        }
    }

    @Test("the newest, the first and the next messages can be selected")
    func places() async throws {
        let messages = (0..<100).map { (nil as String?, "{\"f\($0)\":1}" as String?) }
        try await withTopic(messages) { fake in
            let newest = try await infer(fake, "--messages", "2", "--format", "sql").out
            #expect(newest.contains("f98 integer,\n") && newest.contains("f99 integer\n"), "\(newest)")
            let first = try await infer(fake, "--messages", "1", "--from", "beginning", "--format", "sql").out
            #expect(first == "CREATE TABLE press_events (\n    f0 integer NOT NULL\n);\n")
        }
    }

    @Test("infer waits for the next messages")
    func next() async throws {
        try await withTopic([(nil, "{\"old\":1}")]) { fake in
            let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
            let producer = client.producer()
            func start(_ count: String) async throws -> RunningProgram {
                try await RunningProgram.start(
                    try Repository.program("tfi-consumer"),
                    [
                        "infer", "--bootstrap-servers", fake.bootstrapServers, "--topic", "press-events", "--from",
                        "next", "--messages", count, "--format", "sql",
                    ])
            }
            // Messages sent before the program looked up the offsets count as old, so keep sending until it has enough.
            let program = try await start("2")
            try await eventually("two messages") {
                _ = try await producer.send(
                    ProducerRecord(topic: "press-events", key: nil, value: Array("{\"new\":1}".utf8)))
                return !program.isRunning
            }
            let result = try await program.result()
            #expect(result.status == 0, "\(result.err)")
            #expect(result.out == "CREATE TABLE press_events (\n    new integer NOT NULL\n);\n")
            await producer.close()
            await client.close()
        }
    }

    /// The last offsets of the log belong to the transaction marker, not to a record.
    @Test("a log that ends with a transaction's marker is read to its end")
    func transactions() async throws {
        try await withTopic([(nil, "{\"a\":1}")]) { fake in
            let client = try KafkaClient(
                bootstrapServers: fake.bootstrapServers, properties: ["transactional.id": "proposals"])
            let producer = client.producer()
            try await producer.initTransactions()
            try await producer.beginTransaction()
            _ = try await producer.send(
                ProducerRecord(topic: "press-events", key: nil, value: Array("{\"b\":1}".utf8)))
            try await producer.commitTransaction()
            await producer.close()
            await client.close()
            let all = try await infer(fake, "--format", "sql")
            #expect(all.out == "CREATE TABLE press_events (\n    a integer,\n    b integer\n);\n", "\(all.err)")
            // The last offset has no record.
            let newest = try await infer(fake, "--messages", "1", "--format", "sql")
            #expect(newest.out == "CREATE TABLE press_events (\n    b integer NOT NULL\n);\n", "\(newest.err)")
        }
    }

    @Test("a topic without JSON objects, an empty topic and a missing topic are clear errors")
    func nothing() async throws {
        try await withTopic([(nil, "hello")]) { fake in
            let text = try await infer(fake)
            #expect(text.status == 78)
            #expect(text.err.contains("none of the 1 messages read from press-events is a JSON object (1 not JSON)"))
            fake.createTopic("empty")
            let empty = try await consumer(["infer", "--bootstrap-servers", fake.bootstrapServers, "--topic", "empty"])
            #expect(empty.status == 78)
            #expect(empty.err.contains("the topic empty has no messages; --from next waits for new ones"))
            let missing = try await consumer(["infer", "--bootstrap-servers", fake.bootstrapServers, "--topic", "none"])
            #expect(missing.status == 78, "\(missing.err)")
        }
    }

    @Test("partitions contribute evenly, as far as they have records")
    func shares() {
        func shares(_ count: Int64, _ sizes: Int64...) -> [Int64] {
            let partitions = sizes.indices.map { TopicPartition(topic: "t", partition: Int32($0)) }
            let shares = TopicSample.shares(of: count, Dictionary(uniqueKeysWithValues: zip(partitions, sizes)))
            return partitions.map { shares[$0] ?? 0 }
        }
        #expect(shares(10, 100, 100) == [5, 5])
        #expect(shares(10, 2, 100) == [2, 8])
        #expect(shares(10, 0, 3, 100) == [0, 3, 7])
        #expect(shares(10, 1, 1) == [1, 1])
        #expect(shares(1, 5, 5, 5).reduce(0, +) == 1)
    }

    @Test(
        "printed identifiers have quotes if SQL needs them",
        arguments: [
            ("abc_1", "abc_1"), ("1a", "\"1a\""), ("Abc", "\"Abc\""), ("user", "\"user\""), ("a\"b", "\"a\"\"b\""),
            ("", "\"\""), ("größe", "\"größe\""), ("timestamp", "\"timestamp\""),
        ])
    func identifiers(_ name: String, _ expected: String) {
        #expect(SQLIdentifier.quoted(name) == expected)
    }
}
