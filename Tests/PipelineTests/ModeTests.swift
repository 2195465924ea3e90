import Foundation
import KafkaWire
import TestSupport
import Testing

extension FakePipeline {
    /// Runs a pipeline with a topic `state` of two partitions, tables, and a mapping file in which `SCHEMA` is the
    /// test's schema.
    static func withMapping(
        tables: String, _ mapping: String, _ body: (_ pipeline: FakePipeline, _ file: String) async throws -> Void
    ) async throws {
        let pipeline = try await FakePipeline.make()
        pipeline.fake.createTopic("state", partitions: 2)
        try await pipeline.sql(tables)
        let file = FileManager.default.temporaryDirectory.appending(path: "\(pipeline.schema).yaml")
        try mapping.replacing("SCHEMA", with: pipeline.schema).write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        try await body(pipeline, file.path)
        await pipeline.close()
    }

    /// Sends records to the topic `state`.
    func sendStates(_ records: [StateRecord]) async throws {
        try await send(
            records.map {
                ProducerRecord(
                    topic: "state", partition: Int32($0.id % 2), key: Array($0.key.utf8),
                    value: $0.value.map { Array($0.utf8) })
            })
    }
}

/// A record with the new state of the row with an id; without a value it deletes the row.
struct StateRecord {
    let id: Int
    let number: Int?
    /// Whether the key is a JSON object instead of the id's digits.
    var hasObjectKey = false
    /// Whether the time has a form that only the server parses.
    var hasRareForm = false

    var key: String { hasObjectKey ? "{\"id\": \(id), \"x\": 1}" : "\(id)" }

    var value: String? {
        number.map { "{\"id\":\(id),\"n\":\($0),\"at\":\"\(hasRareForm ? "Mar 3 2024" : "2024-03-03")\"}" }
    }
}

/// The expected rows after a sequence of records, by id: the number, and the column that no route names.
struct StateModel {
    private(set) var rows: [Int: (number: Int, note: String)] = [:]

    init(known ids: some Sequence<Int>) {
        for id in ids { rows[id] = (-1, "old") }
    }

    mutating func apply(_ record: StateRecord, refusing refused: Int? = nil) {
        guard let number = record.number else {
            rows[record.id] = nil
            return
        }
        if number != refused { rows[record.id] = (number, rows[record.id]?.note ?? "new") }
    }

    var table: [[String]] {
        rows.sorted { $0.key < $1.key }.map { ["\($0.key)", "\($0.value.number)", $0.value.note] }
    }

    static let tables =
        "CREATE TABLE state (id int PRIMARY KEY, n int NOT NULL, at timestamp, note text NOT NULL DEFAULT 'new')"
    static let query = "SELECT id, n, note FROM state ORDER BY id"
    static let mapping =
        "routes: [{ topic: state, table: SCHEMA.state, mode: upsert, tombstone: delete, columns: "
        + "{ id: id, n: n, at: at } }]"

    /// Random records with ids below a number, a tenth of them without a value.
    static func records(_ count: Int, ids: Int, seed: UInt64) -> [StateRecord] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in
            StateRecord(
                id: Int.random(in: 0..<ids, using: &random),
                number: Int.random(in: 0..<10, using: &random) == 0 ? nil : Int.random(in: 0..<1_000, using: &random),
                hasObjectKey: Bool.random(using: &random), hasRareForm: Int.random(in: 0..<20, using: &random) == 0)
        }
    }
}

extension DatabaseTests {
    /// Routes that replace, skip and delete rows.
    @Suite struct ModeTests {
        private static func fill(_ ids: Range<Int>) -> String {
            "; INSERT INTO state SELECT i, -1, NULL, 'old' FROM generate_series(\(ids.lowerBound), "
                + "\(ids.upperBound - 1)) AS i"
        }

        /// Half of the keys exist. The last records come in small batches, which aren't staged.
        @Test func theLastRecordOfAKeyIsItsRow() async throws {
            try await FakePipeline.withMapping(
                tables: StateModel.tables + Self.fill(0..<1_000), StateModel.mapping
            ) { pipeline, file in
                var model = StateModel(known: 0..<1_000)
                let records = StateModel.records(20_000, ids: 2_000, seed: 7)
                try await pipeline.sendStates(records)
                for record in records { model.apply(record) }
                let result = try await pipeline.catchUp(["--mapping", file])
                try #require(result.status == 0, "\(result.err)")
                #expect(try await pipeline.sql(StateModel.query) == model.table)
                #expect(
                    result.out.contains("\"records\":20000,") && result.out.contains("\"dead_letters\":0,")
                        && result.out.contains("\"suppressed_rows\":0,"), "\(result.out)")
                // A deletion and rows of one key, with a rare form between them.
                for few in [
                    [
                        StateRecord(id: 1, number: 1), StateRecord(id: 1, number: nil), StateRecord(id: 1, number: 2),
                        StateRecord(id: 2, number: 3, hasRareForm: true), StateRecord(id: 2, number: 4),
                        StateRecord(id: 3, number: 5), StateRecord(id: 3, number: 6, hasRareForm: true),
                    ],
                    [
                        StateRecord(id: 4, number: 1), StateRecord(id: 4, number: nil), StateRecord(id: 4, number: 2),
                        StateRecord(id: 5, number: 1), StateRecord(id: 5, number: nil, hasObjectKey: true),
                        StateRecord(id: 9_999, number: nil),
                    ],
                ] {
                    try await pipeline.sendStates(few)
                    for record in few { model.apply(record) }
                    let result = try await pipeline.catchUp(["--mapping", file])
                    try #require(result.status == 0, "\(result.err)")
                    #expect(try await pipeline.sql(StateModel.query) == model.table)
                }
                #expect(try await pipeline.committed() == 20_013)
            }
        }

        /// A pooler passes the connection to other clients after each transaction.
        @Test func nothingIsLeftBehindOnTheConnection() async throws {
            try await FakePipeline.withMapping(tables: StateModel.tables, StateModel.mapping) { pipeline, file in
                let consumer = try await pipeline.startConsumer(["--mapping", file])
                try await pipeline.sendStates((0..<500).map { StateRecord(id: $0, number: 1) })
                try await eventually("all rows") { try await pipeline.number("SELECT count(*) FROM state") == 500 }
                let query =
                    "SELECT count(*) FROM pg_class WHERE relname LIKE 'tfi\\_%' AND relpersistence = 't'"
                try await eventually("no temporary table") { try await pipeline.number(query) == 0 }
                try await endInOrder(consumer, within: .seconds(8))
            }
        }

        @Test func rowsWhoseKeyExistsAreSkipped() async throws {
            try await FakePipeline.withMapping(
                tables: StateModel.tables + Self.fill(0..<100),
                "routes: [{ topic: state, table: SCHEMA.state, mode: ignore, columns: { id: id, n: n, at: at } }]"
            ) { pipeline, file in
                try await pipeline.sendStates(
                    (0..<600).map { StateRecord(id: $0 % 200, number: $0, hasRareForm: $0 % 7 == 0) })
                for _ in 0..<2 {
                    let result = try await pipeline.catchUp(["--mapping", file])
                    try #require(result.status == 0, "\(result.err)")
                    #expect(
                        try await pipeline.sql(StateModel.query)
                            == (0..<200).map { ["\($0)", $0 < 100 ? "-1" : "\($0)", $0 < 100 ? "old" : "new"] })
                    #expect(result.out.contains("\"suppressed_rows\":0,"), "\(result.out)")
                    // A small batch, whose rows are sent one by one.
                    try await pipeline.sendStates([StateRecord(id: 0, number: 7), StateRecord(id: 150, number: 7)])
                }
            }
        }

        /// Causes that refuse the number 13, in the row or at the end of the statement.
        private static let causes: [String: String] = [
            "check": "ALTER TABLE state ADD CHECK (n <> 13)",
            "foreign key": """
            CREATE TABLE known (n int PRIMARY KEY); INSERT INTO known SELECT i FROM generate_series(-1, 1000) i
                WHERE i <> 13;
            ALTER TABLE state ADD FOREIGN KEY (n) REFERENCES known DEFERRABLE INITIALLY DEFERRED
            """,
            "domain": """
            CREATE DOMAIN lucky AS int NOT NULL CHECK (value <> 13);
            ALTER TABLE state ALTER COLUMN n TYPE lucky
            """,
            "bug in a trigger": """
            CREATE FUNCTION check_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF new.n = 13 THEN PERFORM 1 FROM no_such_table; END IF;
                RETURN new;
            END $$;
            CREATE TRIGGER check_row BEFORE INSERT ON state FOR EACH ROW EXECUTE FUNCTION check_row()
            """,
        ]

        /// A refused record leaves the existing row unchanged. If a later record of its key replaces it, it may never
        /// reach the table, and then isn't a dead letter.
        @Test(arguments: causes.keys.sorted()) func refusedRecordsBecomeDeadLetters(cause: String) async throws {
            try await FakePipeline.withMapping(
                tables: StateModel.tables + Self.fill(0..<500) + ";" + (Self.causes[cause] ?? ""), StateModel.mapping
            ) { pipeline, file in
                var random = SeededRandom(seed: 3)
                let records = StateModel.records(3_000, ids: 1_000, seed: 8).map { record in
                    record.number != nil && Int.random(in: 0..<30, using: &random) == 0
                        ? StateRecord(id: record.id, number: 13) : record
                }
                try await pipeline.sendStates(records)
                var model = StateModel(known: 0..<500)
                var last: [Int: StateRecord] = [:]
                for record in records {
                    model.apply(record, refusing: 13)
                    last[record.id] = record
                }
                let result = try await pipeline.catchUp(["--mapping", file])
                try #require(result.status == 0, "\(result.err)")
                #expect(try await pipeline.sql(StateModel.query) == model.table)
                let dead = Set(
                    try await pipeline.sql(
                        "SELECT (convert_from(value, 'UTF8')::json ->> 'id')::int FROM dead_letter"
                    ).compactMap { Int($0[0]) })
                let bad = records.filter { $0.number == 13 }.map(\.id)
                #expect(dead.isSubset(of: bad))
                #expect(dead.isSuperset(of: last.values.filter { $0.number == 13 }.map(\.id)))
                #expect(
                    try await pipeline.number(
                        "SELECT count(*) FROM dead_letter WHERE convert_from(value, 'UTF8') NOT LIKE '%\"n\":13,%'")
                        == 0)
                #expect(try await pipeline.committed() == 3_000)
            }
        }

        @Test(arguments: ["INSERT", "UPDATE"])
        func rowsThatATriggerSuppressesAreReported(event: String) async throws {
            try await FakePipeline.withMapping(
                tables: StateModel.tables + (event == "UPDATE" ? Self.fill(0..<500) : "") + """
                    ; CREATE FUNCTION check_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                        IF new.n = 13 THEN RETURN NULL; END IF;
                        RETURN new;
                    END $$;
                    CREATE TRIGGER check_row BEFORE \(event) ON state FOR EACH ROW EXECUTE FUNCTION check_row()
                    """, StateModel.mapping
            ) { pipeline, file in
                try await pipeline.sendStates(
                    (0..<1_000).map { StateRecord(id: $0 % 500, number: $0 % 500 < 10 ? 13 : 7) })
                let result = try await pipeline.catchUp(["--mapping", file])
                try #require(result.status == 0, "\(result.err)")
                #expect(result.out.contains("\"suppressed_rows\":10,"), "\(result.out)")
                #expect(result.out.contains("\"state\":490"), "\(result.out)")
            }
        }

        @Test func tombstonesThatNameNoRowBecomeDeadLetters() async throws {
            try await FakePipeline.withMapping(
                tables: StateModel.tables + Self.fill(0..<10), StateModel.mapping
            ) { pipeline, file in
                let keys: [String?] = ["{\"no\":1}", "x", nil, "{", "3"]
                try await pipeline.send(
                    keys.map {
                        ProducerRecord(topic: "state", partition: 0, key: $0.map { Array($0.utf8) }, value: nil)
                    })
                let result = try await pipeline.catchUp(["--mapping", file])
                try #require(result.status == 0, "\(result.err)")
                #expect(try await pipeline.number("SELECT count(*) FROM state") == 9)
                let reasons = try await pipeline.sql("SELECT reason FROM dead_letter ORDER BY \"offset\"")
                #expect(reasons.count == 4, "\(reasons)")
                #expect(
                    reasons.allSatisfy { $0[0].hasPrefix("the record has no value, and does not say which row") },
                    "\(reasons)")
                let check = try await run(
                    try Repository.program("tfi-consumer"),
                    ["check", "--database", pipeline.postgres.uri, "--mapping", file] + pipeline.arguments)
                #expect(check.out.contains("5 records, 0 rows, 1 deletions, 4 rejected"), "\(check.out) \(check.err)")
            }
        }
    }
}
