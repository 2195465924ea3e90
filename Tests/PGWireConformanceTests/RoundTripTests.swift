import PGWire
import TestSupport
import Testing

/// Values written by COPY, as the server's own text functions show them.
@Suite(needsPostgres) struct RoundTripTests {
    /// A value for a column of a type, and the expected text.
    struct Case: Sendable, CustomStringConvertible {
        var type: String
        var text: String?
        var append: @Sendable (inout CopyBuffer) throws -> Void

        init(_ type: String, _ text: String?, _ append: @escaping @Sendable (inout CopyBuffer) throws -> Void) {
            (self.type, self.text, self.append) = (type, text, append)
        }

        var description: String { "\(type) \(text ?? "null")" }
    }

    static let cases: [Case] = [
        Case("boolean", "true") { $0.append(bool: true) },
        Case("boolean", "false") { $0.append(bool: false) },
        Case("smallint", "-32768") { $0.append(int2: .min) },
        Case("integer", "-2147483648") { $0.append(int4: .min) },
        Case("integer", "2147483647") { $0.append(int4: .max) },
        Case("bigint", "-9223372036854775808") { $0.append(int8: .min) },
        Case("real", "1.5") { $0.append(float4: 1.5) },
        Case("real", "NaN") { $0.append(float4: .nan) },
        Case("double precision", "-Infinity") { $0.append(float8: -.infinity) },
        Case("double precision", "0.1") { $0.append(float8: 0.1) },
        Case("text", "") { $0.append(text: "") },
        Case("text", "Häuser 🏭 \" \\ \t,") { $0.append(text: "Häuser 🏭 \" \\ \t,") },
        Case("varchar", "x") { $0.append(text: "x") },
        Case("json", "{\"a\":  1}") { $0.append(text: "{\"a\":  1}") },
        Case("jsonb", "{\"a\": 1}") { $0.append(jsonb: "{\"a\":  1}") },
        Case("bytea", "\\x00ff80") { buffer in
            let bytes: [UInt8] = [0, 0xff, 0x80]
            unsafe buffer.append(bytea: bytes.span.bytes)
        },
        Case("timestamp", "2000-01-01 00:00:00.000001") { $0.append(timestamp: 1) },
        Case("timestamp", "1970-01-01 00:00:00") {
            $0.append(timestamp: PostgresTime.microseconds(millisecondsSinceUnixEpoch: 0) ?? 0)
        },
        Case("timestamp", "infinity") { $0.append(timestamp: .max) },
        Case("timestamp", "4714-11-24 00:00:00 BC") { $0.append(timestamp: PostgresTime.timestampRange.lowerBound) },
        Case("timestamp", "294276-12-31 23:59:59.999999") {
            $0.append(timestamp: PostgresTime.timestampRange.upperBound - 1)
        },
        Case("timestamptz", "1999-12-31 23:59:59.999999+00") { $0.append(timestamptz: -1) },
        Case("date", "2001-01-01") { $0.append(date: 366) },
        Case("date", "1970-01-01") { $0.append(date: PostgresTime.days(sinceUnixEpoch: 0) ?? 0) },
        Case("date", "4714-11-24 BC") { $0.append(date: PostgresTime.dateRange.lowerBound) },
        Case("date", "5874897-12-31") { $0.append(date: PostgresTime.dateRange.upperBound) },
        Case("date", "-infinity") { $0.append(date: .min) },
        Case("uuid", "00112233-4455-6677-8899-aabbccddeeff") {
            $0.append(uuidHigh: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)
        },
        Case("integer", nil) { $0.appendNull() },
        Case("text", nil) { $0.appendNull() },
    ]

    @Test func everyType() async throws {
        let connection = try await connectToSchema("round_trip_types")
        try await connection.execute("SET timezone = 'UTC'")
        for (index, value) in Self.cases.enumerated() {
            try await connection.execute("CREATE TABLE t\(index) (v \(value.type))")
            try await connection.transaction { session in
                var buffer = CopyBuffer()
                buffer.beginRow(columns: 1)
                try value.append(&buffer)
                let table = TableName(table: "t\(index)")
                #expect(try session.copy(into: table, columns: ["v"], from: buffer) == 1)
            }
            let rows = try await connection.query("SELECT v::text FROM t\(index)").rows
            #expect(rows.map(\.values) == [[value.text]], "\(value)")
        }
        await connection.close()
    }

    /// The server parses the same text itself and must get exactly the same value, including the scale.
    @Test func numericAsTheServerReadsIt() async throws {
        let texts = [
            "0", "-0.00", "1", "-1", "9999", "10000", "99999999", "123456789.987654321", "0.1", ".5", "5.", "1.50",
            "0.00001", "1.5e3", "1E+4", "1e-3", "123e-5", "1e131071", "1e-16383", "-1234567890123456789012345.6789",
            "NaN", "Infinity", "-Infinity", "00012.3400", "1000000", "0.0001000", "12e7", "1e-4", "1e-5",
        ]
        let connection = try await connectToSchema("round_trip_numeric")
        try await connection.execute("CREATE TABLE n (i int, v numeric)")
        try await connection.transaction { session in
            var buffer = CopyBuffer()
            for (index, text) in texts.enumerated() {
                buffer.beginRow(columns: 2)
                buffer.append(int4: Int32(index))
                try buffer.append(numeric: text)
            }
            try session.copy(into: TableName(table: "n"), columns: ["i", "v"], from: buffer)
        }
        for (index, text) in texts.enumerated() {
            let row = try await connection.query(
                "SELECT v::text = ($1::numeric)::text, v = $1::numeric FROM n WHERE i = $2",
                parameters: [.text(text), PostgresValue(index)]
            ).onlyRow
            #expect(try row.decode(0, as: Bool.self) && row.decode(1), "\(text)")
        }
        await connection.close()
    }

    @Test func parametersAndResults() async throws {
        let connection = try await connectToSchema("parameters")
        let row = try await connection.query(
            "SELECT $1::text AS t, $2::bigint AS i, $3::float8 AS d, $4::bool AS b, $5::bytea AS y, $6::int AS n",
            parameters: ["O'Hara \"é\"", 9_007_199_254_740_993, 0.1, true, .bytea([0, 1, 0xff]), nil]
        ).onlyRow
        #expect(try row.decode("t", as: String.self) == "O'Hara \"é\"")
        #expect(try row.decode("i", as: Int64.self) == 9_007_199_254_740_993)
        #expect(try row.decode("d", as: Double.self) == 0.1)
        #expect(try row.decode("b", as: Bool.self))
        #expect(row["y"] == "\\x0001ff")
        #expect(try row.decodeIfPresent("n", as: Int.self) == nil)
        #expect(throws: PostgresError.self) { try row.decode("n", as: Int.self) }
        #expect(throws: PostgresError.self) { try row.decode("t", as: Int.self) }
        #expect(throws: PostgresError.self) { try row.decode("missing", as: Int.self) }
        let empty = try await connection.query("SELECT 1 AS one WHERE false")
        #expect(empty.columns == ["one"] && empty.rows.isEmpty && empty.affectedRows == 0)
        await connection.close()
    }

    @Test func millionRows() async throws {
        let connection = try await connectToSchema("million")
        try await connection.execute("CREATE TABLE ucp (a int, t timestamp, b int, c int)")
        let count = 1_000_000
        let rows = try await connection.transaction { session in
            var buffer = CopyBuffer(minimumCapacity: 42 * 100_000)
            return try session.copy(into: TableName(table: "ucp"), columns: ["a", "t", "b", "c"]) { writer in
                for value in 0..<count {
                    buffer.beginRow(columns: 4, reserving: 36)
                    buffer.append(int4: Int32(value))
                    buffer.append(timestamp: Int64(value) * 1000)
                    buffer.append(int4: Int32(value % 7))
                    buffer.append(int4: -1)
                    if buffer.rowCount == 100_000 {
                        try writer.write(buffer)
                        buffer.removeAll()
                    }
                }
            }.rows
        }
        #expect(rows == count)
        let sums = try await connection.query("SELECT count(*), sum(a::bigint), sum(b), min(c), max(t)::text FROM ucp")
        #expect(try sums.onlyRow.values == ["1000000", "499999500000", "2999997", "-1", "2000-01-01 00:16:39.999"])
        await connection.close()
    }
}
