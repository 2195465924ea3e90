import Foundation
import KafkaFake
import KafkaWire
import TestSupport
import Testing

/// `tfi-consumer check` with a fake broker and a real database.
@Suite(
    "check", .enabled(if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)"), .timeLimit(.minutes(2)))
struct CheckCommandTests {
    /// Creates a topic with these messages, tables, and a mapping file.
    private func withPlant(
        _ name: String, messages: [(key: String?, value: String?)], tables: String, mapping: String,
        _ body: (_ fake: FakeCluster, _ server: PostgresServer, _ file: String) async throws -> Void
    ) async throws {
        let server = try await PostgresServer.shared()
        _ = try await server.psql(
            "SET client_min_messages = error; DROP SCHEMA IF EXISTS \(name) CASCADE; CREATE SCHEMA \(name);"
                + "SET search_path = \(name); \(tables)")
        let file = FileManager.default.temporaryDirectory.appending(path: "\(name).yaml")
        try mapping.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let fake = try FakeCluster()
        fake.createTopic("press-1")
        let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
        let producer = client.producer()
        for message in messages {
            let delivery = try await producer.enqueue(
                ProducerRecord(
                    topic: "press-1", partition: 0, key: message.key.map { Array($0.utf8) },
                    value: message.value.map { Array($0.utf8) }))
            _ = try await delivery.metadata
        }
        await producer.close()
        await client.close()
        let result: Result<Void, any Error>
        do { result = .success(try await body(fake, server, file.path)) } catch { result = .failure(error) }
        await fake.close()
        try result.get()
    }

    private func check(
        _ fake: FakeCluster, _ server: PostgresServer, _ more: String...
    ) async throws -> ProgramResult {
        try await run(
            try Repository.program("tfi-consumer"),
            ["check", "--bootstrap-servers", fake.bootstrapServers, "--database", server.uri] + more)
    }

    @Test("several mapping files are checked together, as in a run")
    func severalFiles() async throws {
        try await withPlant(
            "check_files", messages: [("a", "{\"id\":1}")], tables: "CREATE TABLE t (id int PRIMARY KEY)",
            mapping: "routes:\n- topic: press-1\n  table: check_files.t\n"
        ) { fake, server, file in
            let second = FileManager.default.temporaryDirectory.appending(path: "check_files_2.yaml")
            defer { try? FileManager.default.removeItem(at: second) }
            for (text, sentence) in [
                (
                    "routes:\n- topic: press-.*\n  table: check_files.t\n  mode: upsert\n",
                    "another route (line 2) writes"
                ),
                ("routes:\n- topic: other\n  table: check_files.t\nunrouted: ignore\n", "unrouted"),
            ] {
                try text.write(to: second, atomically: true, encoding: .utf8)
                let result = try await check(fake, server, "--mapping", file, "--mapping", second.path)
                #expect(result.status == 78)
                #expect(result.err.contains(sentence), "\(result.err)")
            }
        }
    }

    @Test("rows and reasons are shown, and nothing is written")
    func report() async throws {
        let messages: [(String?, String?)] = [
            ("a", "{\"id\":1,\"at\":\"2024-03-12 06:15\"}"), ("a", "{\"id\":2,\"at\":\"Mar 3 2024\"}"),
            ("a", "{\"id\":3,\"at\":\"Foo 3 2024\"}"), ("a", "{\"id\":\"x\"}"), ("a", "{\"id\":\"y\"}"), (nil, "{}"),
        ]
        try await withPlant(
            "check_report", messages: messages, tables: "CREATE TABLE t (id int NOT NULL, at timestamp)",
            mapping: "routes:\n- topic: press-.*\n  when: { key: a }\n  table: check_report.t\n"
        ) { fake, server, file in
            let text = try await check(fake, server, "--mapping", file)
            #expect(text.status == 0, "\(text.err)")
            #expect(
                text.out == """
                    press-.* → check_report.t (line 2): 5 records, 2 rows, 1 of them read by the database, 3 rejected
                      2 × $.id for column "id": expected integer
                          first: press-1 [0] at offset 3: $.id for column "id": expected integer, found "x"
                      1 × the database: invalid input syntax for type timestamp
                          first: press-1 [0] at offset 2: the database: invalid input syntax for type timestamp: \
                    "Foo 3 2024"
                    no route: 1 records
                          first: press-1 [0] at offset 5

                    """)
            let json = try await check(fake, server, "--mapping", file, "--format", "json", "--messages", "1")
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: Any])
            #expect(object["unrouted"] as? Int == 1)
            #expect((object["routes"] as? [[String: Any]])?.first?["rows"] as? Int == 0)
            #expect(try await server.psql("SELECT count(*) FROM check_report.t") == ["0"])
        }
    }

    @Test("for a topic with unknown JSON, the proposed table and mapping accept all messages")
    func proposal() async throws {
        let messages: [(String?, String?)] = (0..<50).map { index in
            (
                nil,
                "{\"id\": \(index), \"At\": \"2024-03-12T06:15:\(10 + index)Z\", \"w\": \(index).5,"
                    + " \"head\": {\"user\": \"u\(index)\", \"tags\": [1, 2]}}"
            )
        }
        try await withPlant("check_proposal", messages: messages, tables: "", mapping: "") { fake, server, file in
            func infer(_ format: String) async throws -> String {
                let result = try await run(
                    try Repository.program("tfi-consumer"),
                    [
                        "infer", "--bootstrap-servers", fake.bootstrapServers, "--topic", "press-1", "--table",
                        "check_proposal.press", "--format", format,
                    ])
                #expect(result.status == 0, "\(result.err)")
                return result.out
            }
            _ = try await server.psql(try await infer("sql"))
            try await infer("yaml").write(toFile: file, atomically: true, encoding: .utf8)
            let report = try await check(fake, server, "--mapping", file)
            #expect(report.out == "press-1 → check_proposal.press (line 2): 50 records, 50 rows\n", "\(report.err)")
            let columns = try await server.psql(
                """
                SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
                WHERE attrelid = 'check_proposal.press'::regclass AND attnum > 0 ORDER BY attnum
                """)
            #expect(
                columns == [
                    "id|integer|t", "at|timestamp with time zone|t", "w|numeric|t", "head_user|text|t",
                    "head_tags|jsonb|t",
                ])
        }
    }

    @Test("the plant's mapping fits the plant's tables")
    func plant() async throws {
        let messages: [(String?, String?)] = [
            (
                "unit_collection_point",
                "{\"qls_unit_id\":98660920,\"unit_collection_pt_timestamp\":\"2020-05-27 08:05:24.0\","
                    + "\"collection_point_id\":108,\"zone_id\":29}"
            ),
            (
                "unit_concern",
                "{\"qls_unit_id\":98549320,\"unit_collection_pt_timestamp\":\"2020-05-27 08:10:15.0\","
                    + "\"collection_point_id\":45,\"concern_id\":54,\"zone_charged_id\":74}"
            ), ("other", "{}"),
        ]
        try await withPlant("check_plant", messages: messages, tables: "", mapping: "") { fake, server, file in
            let program = try Repository.program("tfi-consumer")
            let initialized = try await run(program, ["init", "--database", server.uri, "--schema", "check_plant"])
            #expect(initialized.status == 0, "\(initialized.err)")
            let expected = """
                press-1 → check_plant.ucp: 1 records, 1 rows
                press-1 → check_plant.uc: 1 records, 1 rows
                no route: 1 records
                      first: press-1 [0] at offset 2

                """
            let builtIn = try await check(fake, server, "--topic", "press-1", "--schema", "check_plant")
            #expect(builtIn.out == expected, "\(builtIn.err)")
            // The output of `mapping` is the same mapping.
            let printed = try await run(program, ["mapping", "--topic", "press-1", "--schema", "check_plant"])
            try printed.out.write(toFile: file, atomically: true, encoding: .utf8)
            let fromFile = try await check(fake, server, "--mapping", file)
            #expect(fromFile.out.replacing(#/ \(line \d+\)/#, with: "") == expected, "\(fromFile.err)")
        }
    }

    @Test("a mapping that doesn't fit is reported with its line before anything is read")
    func misfit() async throws {
        try await withPlant(
            "check_misfit", messages: [],
            tables: "CREATE TABLE t (id int NOT NULL, seen date DEFAULT now(), no serial)",
            mapping: "routes:\n- topic: press-1\n  table: check_misfit.t\n  columns:\n    idd: id\n"
        ) { fake, server, file in
            let result = try await check(fake, server, "--mapping", file)
            #expect(result.status == 78)
            #expect(
                result.err.contains(
                    "check_misfit.yaml:5: route to check_misfit.t: the table has no column \"idd\"; did you mean \"id\"?"
                ), "\(result.err)")
            let simple = try await check(fake, server, "--topic", "press-1", "--table", "check_misfit.tt")
            #expect(simple.status == 78)
            #expect(simple.err.contains("--table: there is no table \"tt\" in the schema \"check_misfit\""))
            let good = try await check(fake, server, "--topic", "press-1", "--table", "check_misfit.t")
            #expect(
                good.out == "press-1 → check_misfit.t: 0 records, 0 rows\n  left to their defaults: seen, no\n",
                "\(good.err)")
            try "routes: 7".write(toFile: file, atomically: true, encoding: .utf8)
            #expect(try await check(fake, server, "--mapping", file).status == 65)
            #expect(try await check(fake, server, "--mapping", file + "x").status == 66)
            #expect(try await check(fake, server, "--mapping", file, "--table", "t").status == 64)
        }
    }
}
