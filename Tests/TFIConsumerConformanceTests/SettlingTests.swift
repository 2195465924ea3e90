import PGWire
import TestSupport
import Testing

@testable import TFIConsumer

@Suite("Settling rows")
struct SettlingTests {
    /// Units on both sides of a block boundary, and the ends of their range.
    private static let units =
        (-4...4).map { $0 * 7 }
        + [16_383, 16_384, 16_390, 32_768, .max, .min].map { $0 as Int }
        .map { Int(Int32(clamping: $0)) }

    /// Few units, places and days, so that messages repeat, and units return on other days and are produced late.
    private static func insertion(_ count: Int, _ chance: inout SeededRandom) -> String {
        var passages: [String] = []
        var concerns: [String] = []
        for _ in 0..<count {
            let unit = units[Int.random(in: 0..<units.count, using: &chance)]
            let day = Int.random(in: 1...4, using: &chance)
            let time = "'2024-03-0\(day) \(Int.random(in: 6...17, using: &chance)):00:0\(day)'"
            let point = Int.random(in: 38...41, using: &chance)
            let zone = Int.random(in: 1...3, using: &chance)
            if Bool.random(using: &chance) {
                passages.append("(\(unit), \(time), \(point), \(zone))")
            } else {
                concerns.append("(\(unit), \(time), \(point), 5, \(zone))")
            }
        }
        return (passages.isEmpty ? "" : "INSERT INTO ucp VALUES \(passages.joined(separator: ", "));")
            + (concerns.isEmpty ? "" : "INSERT INTO uc VALUES \(concerns.joined(separator: ", "))")
    }

    /// Changes by other users, including some of the child table with the settled rows.
    private static let changes = [
        "DELETE FROM ucp WHERE qls_unit_id = 7", "DELETE FROM uc WHERE collection_point_id = 41",
        "UPDATE ucp SET zone_id = 2 WHERE qls_unit_id = -7", "UPDATE uc SET zone_charged_id = 1 WHERE concern_id = 5",
        "DELETE FROM ucp_settled WHERE collection_point_id = 40", "DELETE FROM ONLY uc",
        "INSERT INTO uc_settled VALUES (14, '2024-03-02 09:00:00', 39, 5, 3)", "TRUNCATE uc", "TRUNCATE ucp_settled",
    ]

    /// Compares each view with another count of the same rows, after each of many changes.
    @Test(arguments: [1, 2, 3] as [UInt64]) func viewsAreAlwaysExact(_ seed: UInt64) async throws {
        let plant = try await PlantSchema.make("settling \(seed)")
        var chance = SeededRandom(seed: seed)
        var (moved, counted) = (0, 0)
        for round in 0..<120 {
            var done = ""
            switch Int.random(in: 0..<10, using: &chance) {
            case 0..<5:
                done = Self.insertion(Int.random(in: 1...12, using: &chance), &chance)
                try await plant.execute(done)
            case 5..<9:
                let table = RowTable.all[Int.random(in: 0...1, using: &chance)]
                let limit = Int.random(in: 1...20, using: &chance)
                done = "settle \(limit) of \(table.name)"
                switch try await plant.settler(table).step(from: 0, limit: limit, over: plant.connection) {
                case .moved(let count, _): moved += count
                case .counted: counted += 1
                case .busy: Issue.record("busy")
                case .impossible(let reason): Issue.record("\(reason)")
                }
            default:
                done = Self.changes[Int.random(in: 0..<Self.changes.count, using: &chance)]
                try await plant.execute(done)
            }
            #expect(try await plant.wrongViews() == [], "round \(round): \(done)")
        }
        // Rows have been moved and counted.
        #expect(moved > 50 && counted > 0)
        await plant.connection.close()
    }

    @Test func eachRowIsInExactlyOnePart() async throws {
        let plant = try await PlantSchema.make("settling rows")
        try await plant.execute(
            """
            INSERT INTO ucp SELECT n, timestamp '2024-03-01 08:00' + n * interval '1 minute', 40, n % 5
            FROM generate_series(1, 2500) AS n
            """)
        #expect(try await plant.settle(.ucp) == 2500)
        #expect(try await plant.number("SELECT count(*) FROM ONLY ucp") == 0)
        #expect(try await plant.number("SELECT count(*) FROM ucp_settled") == 2500)
        #expect(try await plant.number("SELECT count(DISTINCT qls_unit_id) FROM ucp") == 2500)
        #expect(try await plant.settle(.ucp) == 0)
        // A column that the plant adds is in both parts.
        try await plant.execute(
            "ALTER TABLE ucp ADD COLUMN shift text; INSERT INTO ucp VALUES (1, '2024-03-01', 40, 1, 'late')")
        #expect(try await plant.settle(.ucp) == 1)
        #expect(try await plant.rows("SELECT shift FROM ucp WHERE shift IS NOT NULL") == [["late"]])
        await plant.connection.close()
    }

    /// A reader's snapshot has each row once, wherever it falls between the steps.
    @Test func readersSeeEachRowOnceDuringWritesAndMoves() async throws {
        let plant = try await PlantSchema.make("settling readers")
        let writer = try await plant.another()
        let reader = try await plant.another()
        let rounds = 60
        async let written: Void = {
            for round in 0..<rounds {
                try await writer.execute(
                    """
                    BEGIN; INSERT INTO ucp SELECT \(round * 50) + n, '2024-03-01 09:00', 40, n % 3
                    FROM generate_series(1, 50) AS n; INSERT INTO uc VALUES (\(round), '2024-03-01 09:00', 40, 1, 2);
                    COMMIT
                    """)
            }
        }()
        async let settled: Void = {
            for _ in 0..<rounds {
                try await plant.settle(.ucp, limit: 40)
                try await plant.settle(.uc, limit: 40)
            }
        }()
        var seen = 0
        while seen < rounds * 50 {
            #expect(try await reader.wrongViews() == [])
            let count = try await reader.number("SELECT count(*) FROM ucp")
            #expect(count >= seen && count % 50 == 0)
            seen = count
        }
        _ = try await (written, settled)
        try await plant.settle(.ucp)
        #expect(try await plant.number("SELECT sum(units) FROM unit_totals") == rounds * 50)
        for side in [plant, writer, reader] { await side.connection.close() }
    }

    @Test func twoProcessesDoNotMoveRowsAtOnce() async throws {
        let plant = try await PlantSchema.make("settling twice")
        let other = try await plant.another()
        try await plant.execute("INSERT INTO ucp VALUES (1, '2024-03-01', 40, 1)")
        let key = "settling \(plant.schema.qualified("ucp"))"
        try await other.execute("BEGIN")
        _ = try await other.connection.query(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", parameters: [.text(key)])
        #expect(try await plant.settler(.ucp).step(from: 0, limit: 10, over: plant.connection) == .busy)
        try await other.execute("COMMIT")
        #expect(try await plant.settle(.ucp) == 1)
        for side in [plant, other] { await side.connection.close() }
    }

    @Test(arguments: [
        ("CREATE UNIQUE INDEX ON ucp (qls_unit_id, collection_point_id)", "unique index"),
        ("ALTER TABLE ucp ADD PRIMARY KEY (qls_unit_id)", "unique index"),
        (
            "ALTER TABLE plan ADD UNIQUE (units); ALTER TABLE ucp ADD FOREIGN KEY (zone_id) REFERENCES plan (units)",
            "foreign key"
        ),
        ("CREATE TABLE more () INHERITS (ucp)", "other children"),
        ("ALTER TABLE ucp ADD twice integer GENERATED ALWAYS AS (zone_id * 2) STORED", "generated column"),
        ("CREATE PUBLICATION settling_publication FOR TABLE ucp", "publication"),
        ("ALTER TABLE ucp ENABLE ROW LEVEL SECURITY", "row security"),
        ("CREATE RULE quiet AS ON DELETE TO ucp DO ALSO NOTHING", "rule"),
        (
            """
            CREATE FUNCTION archive() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TRIGGER archive AFTER DELETE ON ucp FOR EACH ROW EXECUTE FUNCTION archive()
            """, "trigger"
        ),
    ])
    func rowsStayIfTheTableWasChanged(_ change: String, _ reason: String) async throws {
        let plant = try await PlantSchema.make("settling \(reason) \(change.count)")
        if reason == "publication" { try await plant.execute("DROP PUBLICATION IF EXISTS settling_publication") }
        try await plant.execute("INSERT INTO plan VALUES (1, 1)")
        try await plant.execute("INSERT INTO ucp VALUES (1, '2024-03-01', 40, 1); \(change)")
        guard
            case .impossible(let found) = try await plant.settler(.ucp).step(
                from: 0, limit: 10, over: plant.connection)
        else {
            Issue.record("moved")
            return
        }
        #expect(found.contains(reason))
        #expect(try await plant.number("SELECT count(*) FROM ONLY ucp") == 1)
        #expect(try await plant.wrongViews() == [])
        // A publication belongs to the database, so remove it with the schema.
        try await plant.execute("DROP SCHEMA \(plant.schema.quotedName) CASCADE")
        await plant.connection.close()
    }

    /// If a plant has partitioned its table, the views read all of it.
    @Test func partitionedTableHasExactViews() async throws {
        let plant = try await PlantSchema.make(
            "settling parts",
            over: """
                CREATE TABLE ucp (qls_unit_id integer NOT NULL, unit_collection_pt_timestamp timestamp NOT NULL,
                collection_point_id integer NOT NULL, zone_id integer NOT NULL)
                PARTITION BY RANGE (unit_collection_pt_timestamp);
                CREATE TABLE every PARTITION OF ucp DEFAULT
                """)
        try await plant.execute("INSERT INTO ucp VALUES (1, '2024-03-01', 40, 1)")
        #expect(try await plant.rows("SELECT units FROM tile_total") == [["1"]])
        #expect(try await plant.wrongViews() == [])
        guard
            case .impossible = try await plant.settler(.ucp).step(from: 0, limit: 10, over: plant.connection)
        else {
            Issue.record("moved")
            return
        }
        await plant.connection.close()
    }

    /// tfi-consumer 0.1.0 did not record its views.
    @Test func replacesViewsOfTheFirstVersion() async throws {
        let plant = try await PlantSchema.make("settling old")
        try await plant.execute("TRUNCATE own_view; INSERT INTO ucp VALUES (1, '2024-03-01', 40, 1)")
        for view in WorkshopSchema.firstViews { try await plant.execute(plant.schema.createView(view)) }
        try await plant.execute("CREATE OR REPLACE VIEW tile_nok (day, units) AS SELECT current_date, 7::bigint")
        #expect(try await plant.initialize() == ["tile_nok"])
        let definition = try #require(
            try await plant.rows("SELECT pg_get_viewdef('tile_total'::regclass)").first?.first.flatMap(\.self))
        #expect(definition.contains("ucp_settled"))
        #expect(try await plant.rows("SELECT units FROM tile_total") == [["1"]])
        await plant.connection.close()
    }

    /// A DELETE finds its row even while the row is being moved.
    @Test func changesFindRowsThatAreBeingMoved() async throws {
        let plant = try await PlantSchema.make("settling changed")
        let (holder, user, viewer) = (try await plant.another(), try await plant.another(), try await plant.another())
        try await plant.execute("INSERT INTO ucp VALUES (2, '2024-03-01', 40, 1), (1, '2024-03-01', 40, 1)")
        func waiting() async throws -> Int {
            try await viewer.number(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%settling changed%'"
            )
        }
        try await holder.execute("BEGIN; SELECT FROM ucp WHERE qls_unit_id = 1 FOR UPDATE")
        // The step has moved the first row, and waits for the second one.
        async let moved = plant.settle(.ucp)
        try await eventually("the step waits") { try await waiting() == 1 }
        async let deleted: Void = user.execute("DELETE FROM \"settling changed\".ucp WHERE qls_unit_id = 2")
        try await eventually("the change waits, too") { try await waiting() == 2 }
        try await holder.execute("COMMIT")
        #expect(try await moved == 2)
        try await deleted
        #expect(try await plant.rows("SELECT qls_unit_id FROM ucp") == [["1"]])
        #expect(try await plant.wrongViews() == [])
        for side in [plant, holder, user, viewer] { await side.connection.close() }
    }

    @Test func daysFollowChangesOfSettledRows() async throws {
        let plant = try await PlantSchema.make("settling days")
        try await plant.execute("INSERT INTO ucp VALUES (2, '2024-03-01', 40, 1), (1, '2024-03-02', 40, 1)")
        try await plant.settle(.ucp)
        #expect(try await plant.rows("SELECT day FROM settled_day ORDER BY 1") == [["2024-03-01"], ["2024-03-02"]])
        try await plant.execute("DELETE FROM ucp WHERE qls_unit_id = 2")
        #expect(try await plant.settler(.ucp).step(from: 0, limit: 10, over: plant.connection) == .counted)
        #expect(try await plant.rows("SELECT day FROM settled_day") == [["2024-03-02"]])
        await plant.connection.close()
    }

    /// Functions with their owner's rights do not pass these rights on to others.
    @Test func triggersGiveViewersNoRights() async throws {
        let plant = try await PlantSchema.make("settling rights")
        try await plant.execute(
            """
            DROP ROLE IF EXISTS settling_viewer; CREATE ROLE settling_viewer;
            GRANT USAGE, CREATE ON SCHEMA "settling rights" TO settling_viewer; GRANT SELECT ON unit_totals TO settling_viewer;
            INSERT INTO ucp VALUES (2, '2024-03-01', 40, 1); UPDATE zone_unit_state SET is_counted = false
            """)
        try await plant.execute(
            """
            SET ROLE settling_viewer;
            CREATE FUNCTION evil(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 666::bigint';
            CREATE AGGREGATE count(*) (sfunc = evil, stype = bigint, initcond = 0);
            CREATE TEMPORARY TABLE ucp (zone_id integer, qls_unit_id integer); CREATE TEMPORARY TABLE x (a integer)
            """)
        #expect(try await plant.rows("SELECT * FROM \"settling rights\".unit_totals") == [["1", "1"]])
        await #expect(throws: PostgresError.self) {
            try await plant.execute(
                """
                CREATE TRIGGER t AFTER DELETE ON x FOR EACH STATEMENT
                EXECUTE FUNCTION "settling rights".forget_zone_units('ucp')
                """)
        }
        try await plant.execute("RESET ROLE; DROP OWNED BY settling_viewer; DROP ROLE settling_viewer")
        await plant.connection.close()
    }

    @Test func twoPlantsInOneSchemaDoNotMix() async throws {
        let plant = try await PlantSchema.make("settling plants")
        let north = try await plant.another(plant: try #require(PlantName("north")))
        try await plant.execute("INSERT INTO ucp VALUES (1, '2024-03-01', 40, 1), (2, '2024-03-02', 40, 1)")
        try await north.execute(
            "INSERT INTO north_ucp VALUES (1, '2024-03-01', 40, 2); INSERT INTO north_uc VALUES (5, '2024-03-01', 39, 1, 2)"
        )
        for _ in 0..<2 {
            #expect(try await plant.rows("SELECT sum(units) FROM tile_total") == [["2"]])
            #expect(try await plant.rows("SELECT sum(units) FROM north_tile_total") == [["1"]])
            #expect(try await plant.rows("SELECT zone_id, units FROM unit_totals") == [["1", "2"]])
            #expect(try await plant.rows("SELECT zone_id, units FROM north_unit_totals") == [["2", "1"]])
            #expect(try await plant.rows("SELECT units FROM tile_nok") == [])
            #expect(try await plant.rows("SELECT units FROM north_tile_nok") == [["1"]])
            #expect(try await plant.wrongViews() + north.wrongViews() == [])
            for table in RowTable.all {
                try await plant.settle(table)
                try await north.settle(table)
            }
            #expect(try await plant.number("SELECT count(*) FROM ONLY north_ucp") == 0)
        }
        try await north.execute("DELETE FROM north_ucp")
        #expect(try await plant.rows("SELECT is_counted FROM zone_unit_state WHERE source = 'ucp'") == [["t"]])
        #expect(try await plant.wrongViews() + north.wrongViews() == [])
        for side in [plant, north] { #expect(try await side.initialize() == []) }
        for side in [plant, north] { await side.connection.close() }
    }
}
