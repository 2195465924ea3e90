import IngestEngine
import PGWire
import TestSupport
import Testing

/// Rows that the server parses itself, and times in zones, compared with the server.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.skipReason)"))
struct ServerRowsTests {
    private func connect(_ schema: String) async throws -> PostgresConnection {
        let server = try await PostgresServer.shared()
        let connection = try await PostgresConnection.connect(to: server.uri)
        try await connection.execute(
            "SET client_min_messages = error; DROP SCHEMA IF EXISTS \"\(schema)\" CASCADE; CREATE SCHEMA \"\(schema)\"")
        return connection
    }

    @Test func rowsOfRareFormsAreInsertedInTheTransactionOfTheOthers() async throws {
        let connection = try await connect("Server rows")
        try await connection.execute(
            "CREATE TABLE \"Server rows\".\"T\" (n serial, \"At\" timestamptz, age interval, d text DEFAULT 'x')")
        let columns = [
            RowPlan.Column(
                name: "At", type: .timestamptz(precision: 6), source: .path(JSONPath(steps: [.field("At")]))),
            RowPlan.Column(name: "age", type: .interval, source: .path(JSONPath(steps: [.field("age")]))),
        ]
        var encoder = try RowEncoder(RowPlan(columns: columns))
        var rows = CopyBuffer()
        var serverRows = ServerRows(table: TableName(schema: "Server rows", table: "T"), columns: ["At", "age"])
        for text in [
            "{\"At\":\"Mar 3 2024 10:00\"}", "{\"age\":\"1 day\",\"At\":null}", "{\"At\":\"01/02/2024\",\"n\":9}",
        ] {
            let bytes = Array(text.utf8)
            let outcome = unsafe encoder.encode(
                value: bytes.span.bytes, key: nil, metadata: RecordMetadata(partition: 0, offset: 0), into: &rows)
            guard case .server(let json) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            serverRows.append(json)
        }
        let rowCount = rows.rowCount
        #expect(rowCount == 0 && serverRows.count == 3)
        let prepared = serverRows
        let inserted = try await connection.transaction { session in
            try session.execute("SET LOCAL TimeZone = 'Asia/Tokyo'")
            try session.execute(ServerRows.settings)
            return try prepared.insert(in: &session)
        }
        #expect(inserted == 3)
        let stored = try await connection.query(
            "SELECT concat_ws('|', n, \"At\" AT TIME ZONE 'UTC', age, d) FROM \"Server rows\".\"T\" ORDER BY n")
        #expect(
            stored.rows.map { $0[0] } == ["1|2024-03-03 10:00:00|x", "2|1 day|x", "3|2024-01-02 00:00:00|x"])
        serverRows.removeAll()
        #expect(serverRows.isEmpty)
    }

    /// Times around every offset change in some years, and random times.
    @Test(arguments: ["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"])
    func localTimesMatchTheServer(_ zone: String) async throws {
        let connection = try await connect("zones of \(zone)")
        let rows = try await connection.query(
            """
            SELECT to_char(t, 'YYYY-MM-DD HH24:MI:SS'), (extract(epoch FROM t AT TIME ZONE $1) * 1000000)::bigint
            FROM (
                SELECT '1975-01-01'::timestamp + interval '5 hours 13 minutes' * n AS t FROM generate_series(1, 40000) n
                UNION ALL
                SELECT d + interval '10 minutes' * n FROM generate_series(0, 40) n,
                    unnest('{2024-03-30 22:00,2024-10-26 22:00,2024-03-10 00:00,2024-11-03 00:00,2024-04-06 22:00,2024-10-05 22:00}'::timestamp[]) d
            ) times
            """, parameters: [.text(zone)])
        var column = RowPlan.Column(
            name: "a", type: .timestamptz(precision: 6), source: .path(JSONPath(steps: [.field("a")])))
        column.zone = zone
        var encoder = try RowEncoder(RowPlan(columns: [column]))
        var different: [String] = []
        for row in rows.rows {
            let text = try row.decode(0, as: String.self)
            let message = Array("{\"a\":\"\(text)\"}".utf8)
            var buffer = CopyBuffer()
            _ = unsafe encoder.encode(
                value: message.span.bytes, key: nil, metadata: RecordMetadata(partition: 0, offset: 0), into: &buffer)
            let bytes = unsafe buffer.bytes.withUnsafeBytes { unsafe Array($0.dropFirst(6)) }
            let expected = try row.decode(1, as: Int.self) - 946_684_800_000_000
            let actual = bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) }
            if actual != Int64(expected) { different.append("\(text): \(actual - Int64(expected)) µs") }
        }
        #expect(different.isEmpty, "\(different.prefix(10))")
    }
}
