import IngestEngine
import PGWire
import TestSupport

/// Two tables with the same columns: one for the encoder's rows, and one that the server fills itself.
struct ComparedTables {
    struct Totals: CustomStringConvertible {
        var rows = 0
        var server = 0
        var rejected = 0
        var refusedByServer = 0
        var relative = 0

        var description: String {
            "\(rows) rows, \(server) by the server (\(refusedByServer) refused), "
                + "\(rejected) rejected (\(relative) relative)"
        }
    }

    let connection: PostgresConnection
    let plan: RowPlan

    static func make(in schema: String) async throws -> ComparedTables {
        let server = try await PostgresServer.shared()
        let connection = try await PostgresConnection.connect(to: server.uri)
        try await connection.execute(
            "SET client_min_messages = error; DROP SCHEMA IF EXISTS \(schema) CASCADE; CREATE SCHEMA \(schema);"
                + "SET search_path = \(schema); SET TimeZone = 'UTC'; SET synchronous_commit = off;"
                + ComparedColumn.types)
        let fields = ComparedColumn.all.map { "\"\($0.name)\" \($0.sql)" }.joined(separator: ", ")
        let names = ComparedColumn.all.map { "\"\($0.name)\"" }.joined(separator: ", ")
        try await connection.execute(
            """
            CREATE TABLE actual (message_number bigint, \(fields));
            CREATE TABLE expected (message_number bigint, \(fields));
            CREATE TABLE message (message_number bigint, body bytea);
            CREATE TABLE server_row (message_number bigint, body bytea);
            CREATE TABLE failure (message_number bigint, side text, code text, reason text);
            CREATE FUNCTION expect() RETURNS void LANGUAGE plpgsql AS $$
            DECLARE r record;
            BEGIN
                FOR r IN SELECT * FROM message LOOP
                    BEGIN
                        INSERT INTO expected (message_number, \(names)) SELECT r.message_number, \(names) FROM
                            json_populate_record(null::expected, convert_from(r.body, 'UTF8')::json);
                    EXCEPTION WHEN OTHERS THEN
                        INSERT INTO failure VALUES (r.message_number, 'expected', sqlstate, sqlerrm);
                    END;
                END LOOP;
                FOR r IN SELECT * FROM server_row LOOP
                    BEGIN
                        INSERT INTO actual (message_number, \(names)) SELECT message_number, \(names) FROM
                            json_populate_recordset(null::actual, convert_from(r.body, 'UTF8')::json);
                    EXCEPTION WHEN OTHERS THEN
                        INSERT INTO failure VALUES (r.message_number, 'server', sqlstate, sqlerrm);
                    END;
                END LOOP;
            END $$;
            """)
        var columns = [RowPlan.Column(name: "message_number", type: .int8, source: .record(.offset))]
        for column in ComparedColumn.all {
            let oid = try await connection.query(
                "SELECT coalesce((SELECT typelem FROM pg_type WHERE oid = to_regtype($1)), 0)::text",
                parameters: [.text(column.sql)])
            let known = column.withElementOID(UInt32(try oid.onlyRow.decode(0, as: Int.self)))
            columns.append(
                RowPlan.Column(
                    name: column.name, type: known.type, source: .path(JSONPath(steps: [.field(column.name)]))))
        }
        return ComparedTables(connection: connection, plan: RowPlan(columns: columns))
    }

    /// Writes messages to both tables.
    ///
    /// - Returns: A line for each message whose outcomes differ.
    func compare(_ messages: [[UInt8]], first: Int, _ totals: inout Totals) async throws -> [String] {
        try await connection.execute("TRUNCATE actual, expected, message, server_row, failure")
        var encoder = try RowEncoder(plan)
        var raw = CopyBuffer()
        var server = CopyBuffer()
        var rejections: [Int: String] = [:]
        var rows: [Int] = []
        let chunk = 500
        var mismatches: [String] = []
        for (index, message) in messages.enumerated() {
            raw.beginRow(columns: 2)
            raw.append(int8: Int64(index))
            unsafe raw.append(bytea: message.span.bytes)
            var scratch = CopyBuffer()
            switch encode(message, index, &encoder, into: &scratch) {
            case .row: rows.append(index)
            case .rejected(let reason): rejections[index] = reason
            case .server(let json):
                totals.server += 1
                let array = [UInt8(ascii: "[")] + json + [UInt8(ascii: "]")]
                server.beginRow(columns: 2)
                server.append(int8: Int64(index))
                unsafe server.append(bytea: array.span.bytes)
            }
        }
        totals.rows += rows.count
        totals.rejected += rejections.count
        try await copy(raw, into: "message", ["message_number", "body"])
        try await copy(server, into: "server_row", ["message_number", "body"])
        var refused: [Int: String] = [:]
        for start in stride(from: 0, to: rows.count, by: chunk) {
            try await copy(rows[start..<min(start + chunk, rows.count)], messages, &encoder, &refused)
        }
        try await connection.execute("SELECT expect()")
        mismatches += try await differences(messages, rejections, refused, &totals)
        return mismatches
    }

    private func encode(
        _ message: [UInt8], _ index: Int, _ encoder: inout RowEncoder, into rows: inout CopyBuffer
    ) -> EncodedRow {
        unsafe encoder.encode(
            value: message.span.bytes, key: nil, metadata: RecordMetadata(partition: 0, offset: Int64(index)),
            into: &rows)
    }

    private func copy(_ buffer: consuming CopyBuffer, into table: String, _ columns: [String]) async throws {
        let name = TableName(table: table)
        var given: CopyBuffer? = buffer
        try await connection.transaction { session in
            guard let rows = given.take() else { return }
            try session.copy(into: name, columns: columns, from: rows)
        }
    }

    /// Copies rows into `actual`, and finds rows that the server refuses by bisection.
    private func copy(
        _ indices: ArraySlice<Int>, _ messages: [[UInt8]], _ encoder: inout RowEncoder, _ refused: inout [Int: String]
    ) async throws {
        var buffer = CopyBuffer()
        for index in indices { _ = encode(messages[index], index, &encoder, into: &buffer) }
        do {
            try await copy(buffer, into: "actual", plan.columns.map(\.name))
        } catch let error as PostgresError {
            guard indices.count > 1 else {
                for index in indices { refused[index] = "\(error.sqlState ?? "") \(error.message)" }
                return
            }
            let middle = indices.startIndex + indices.count / 2
            try await copy(indices[..<middle], messages, &encoder, &refused)
            try await copy(indices[middle...], messages, &encoder, &refused)
        }
    }

    private func differences(
        _ messages: [[UInt8]], _ rejections: [Int: String], _ refused: [Int: String], _ totals: inout Totals
    ) async throws -> [String] {
        var mismatches: [String] = []
        func note(_ index: Int, _ what: String) {
            mismatches.append("\(what)\n    \(String(decoding: messages[index], as: UTF8.self).debugDescription)")
        }
        var expected: [Int: String] = [:]
        var byServer: Set<Int> = []
        for row in try await connection.query("SELECT message_number, side, code || ' ' || reason FROM failure").rows {
            let index = try row.decode(0, as: Int.self)
            if row[1] == "expected" { expected[index] = row[2] ?? "" } else { byServer.insert(index) }
        }
        totals.refusedByServer += byServer.count
        for (index, reason) in rejections where expected[index] == nil {
            if reason.contains("relative to the present") {
                totals.relative += 1
            } else {
                note(index, "rejected, but the database accepts it: \(reason)")
            }
        }
        for (index, reason) in refused {
            // Only the server can check a domain's constraint.
            if !reason.hasPrefix("23514") || expected[index]?.hasPrefix("23514") != true {
                note(index, "the COPY fails: \(reason); expected: \(expected[index] ?? "a row")")
            }
        }
        for (index, reason) in expected
        where rejections[index] == nil && !byServer.contains(index) && refused[index] == nil {
            note(index, "taken, but the database refuses it: \(reason)")
        }
        for index in byServer where expected[index] == nil { note(index, "refused by the server only as its own row") }
        let different = try await connection.query(
            "SELECT message_number, a::text, e::text FROM actual a FULL JOIN expected e USING (message_number) "
                + "WHERE a::text IS DISTINCT FROM e::text")
        for row in different.rows {
            let index = try row.decode(0, as: Int.self)
            // Both sides of a refusal are reported above.
            if rejections[index] != nil || expected[index] != nil || refused[index] != nil { continue }
            note(index, "actual \(row[1] ?? "nothing") expected \(row[2] ?? "nothing")")
        }
        return mismatches
    }
}
