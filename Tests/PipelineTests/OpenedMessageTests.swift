import Foundation
import TestSupport
import Testing

@testable import KafkaWire

extension DatabaseTests {
    /// Values that are compressed, contain JSON as text, or become several rows.
    @Suite struct OpenedMessageTests {
        private func record(_ value: [UInt8], partition: Int32 = 0) -> ProducerRecord {
            ProducerRecord(topic: "state", partition: partition, key: nil, value: value)
        }

        private func compressed(_ text: String, _ compression: Compression) throws -> [UInt8] {
            let bytes = Array(text.utf8)
            guard
                let result = try compression.compress(
                    unsafe bytes.span.bytes, level: nil, reserved: 0, pool: BufferPool(limit: 0))
            else { return bytes }
            return [UInt8](ByteSlice(result.storage, 0..<result.end).span)
        }

        @Test(arguments: [Compression.gzip, .zstd, .lz4, .snappy])
        func compressedValuesBecomeRows(compression: Compression) async throws {
            try await FakePipeline.withMapping(
                tables: "CREATE TABLE state (id int, text text)",
                """
                routes:
                - { topic: state, when: { field: { kind: a } }, table: SCHEMA.state, value: { decompress: \(compression) } }
                - { topic: state, table: SCHEMA.state, columns: { id: id }, value: { decompress: \(compression) } }
                """
            ) { pipeline, file in
                var values = try (0..<100).map {
                    try compressed(
                        "{\"kind\":\"\($0 % 2 == 0 ? "a" : "b")\",\"id\":\($0),\"text\":\"\(String(repeating: "x", count: $0 * 50))\"}",
                        compression)
                }
                values.append(Array("{\"id\":1}".utf8))
                values.append(values[7].dropLast(9))
                values.append(try compressed(String(repeating: " ", count: 17 << 20), compression))
                try await pipeline.send(values.map { record($0) })
                let result = try await pipeline.catchUp(["--mapping", file])
                try #require(result.status == 0, "\(result.err)")
                #expect(
                    try await pipeline.sql("SELECT count(DISTINCT id), count(text), sum(length(text)) FROM state")
                        == [["100", "50", "122500"]])
                let reasons = try await pipeline.sql("SELECT \"offset\", reason FROM dead_letter ORDER BY 1").map { $0 }
                #expect(reasons.map { $0[0] } == ["100", "101", "102"])
                #expect(
                    reasons.prefix(2).allSatisfy { $0[1].hasPrefix("the value is not valid \(compression): ") },
                    "\(reasons)")
                #expect(reasons.last?[1].contains("inflates to more than 16777216 bytes") == true, "\(reasons)")
                let check = try await run(
                    try Repository.program("tfi-consumer"),
                    ["check", "--database", pipeline.postgres.uri, "--mapping", file] + pipeline.arguments)
                #expect(check.out.contains("50 records, 50 rows\n"), "\(check.out) \(check.err)")
                #expect(check.out.contains("53 records, 50 rows, 3 rejected\n"), "\(check.out) \(check.err)")
            }
        }

        private static let order = """
            routes:
            - topic: state
              table: SCHEMA.state
              json: $.payload
              each: $.items[*]
              columns:
                source: { envelope: source }
                number: { message: $.order.number }
                meta: { message: $.order.meta }
                at: { message: at, format: unix_ms }
                id: id
                took: took
            """

        private func order(_ items: String, number: String = "\"A 1\"") -> [UInt8] {
            let payload =
                "{\"order\":{\"number\":\(number),\"meta\":\"m\"},\"at\":1709424000000,\"items\":[\(items)]}"
            let text = payload.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return Array("{\"source\":\"line\\u00204\",\"payload\":\"\(text)\"}".utf8)
        }

        @Test func elementsOfAnArrayInATextBecomeRows() async throws {
            try await FakePipeline.withMapping(
                tables: """
                    CREATE TABLE state (source text, number text NOT NULL, meta jsonb, at timestamptz, id int, took interval,
                        CHECK (id <> 13))
                    """, Self.order
            ) { pipeline, file in
                let values: [[UInt8]] = [
                    order("{\"id\":1},{\"id\":2,\"took\":\"1 day\"}, {\"id\":3}"), order(""),
                    order("{\"id\":4},{\"id\":\"x\"},{\"id\":5}"), order("{\"id\":6},7"),
                    order("{\"id\":8},{\"id\":13},{\"id\":9,\"took\":\"1 day\"}"),
                    order("{\"id\":10,\"took\":\"1 day\"},{\"id\":13,\"took\":\"2 days\"}"),
                    order("{\"id\":11},{\"id\":12,\"took\":\"1 dog\"}"), order("{\"id\":14}", number: "null"),
                    Array("{\"payload\":{\"items\":[]}}".utf8), Array("{\"payload\":\"{}\"}".utf8),
                    order("{\"id\":15}", number: "12345678901234567890.10"),
                ]
                try await pipeline.send(values.map { record($0) })
                let result = try await pipeline.catchUp(["--mapping", file])
                try #require(result.status == 0, "\(result.err)")
                let rows = try await pipeline.sql(
                    "SELECT source, number, meta, at AT TIME ZONE 'UTC', id, took FROM state ORDER BY id")
                let common = ["line 4", "A 1", "\"m\"", "2024-03-03 00:00:00"]
                #expect(
                    rows == [
                        common + ["1", "null"], common + ["2", "1 day"], common + ["3", "null"],
                        ["line 4", "12345678901234567890.10", "\"m\"", "2024-03-03 00:00:00", "15", "null"],
                    ])
                let letters = try await pipeline.sql("SELECT \"offset\", reason FROM dead_letter ORDER BY 1")
                #expect(letters.map { $0[0] } == ["2", "3", "4", "5", "6", "7", "8", "9"])
                #expect(letters.first?[1].hasSuffix("found \"x\" (element 1 of $.items)") == true, "\(letters)")
                #expect(letters[2][1].contains("23514") && letters[3][1].contains("23514"), "\(letters)")
                #expect(letters[5][1].hasPrefix("$.order.number of the message for column \"number\""), "\(letters)")
                #expect(letters[6][1] == "$.payload (\"json\") is missing or not a string", "\(letters)")
                #expect(letters[7][1] == "$.items (\"each\") is missing or not an array", "\(letters)")
                #expect(
                    result.out.contains("\"records\":11,") && result.out.contains("\"rows\":{\"state\":4}")
                        && result.out.contains("\"dead_letters\":8,"), "\(result.out)")
                let check = try await run(
                    try Repository.program("tfi-consumer"),
                    ["check", "--database", pipeline.postgres.uri, "--mapping", file] + pipeline.arguments)
                // Violated constraints show only when rows are written.
                #expect(
                    check.out.contains("11 records, 9 rows, 4 of them read by the database, 6 rejected"),
                    "\(check.out) \(check.err)")
            }
        }

        /// Each record has ten rows. In a tenth of the records the database refuses one of them.
        @Test(arguments: ["append", "upsert"])
        func aRecordWithARefusedRowWritesNone(mode: String) async throws {
            try await FakePipeline.withMapping(
                tables: "CREATE TABLE state (id int PRIMARY KEY, n int CHECK (n <> 13))",
                "routes: [{ topic: state, table: SCHEMA.state, mode: \(mode), each: '$.items[*]', columns: { id: '$[0]', n: '$[1]' } }]"
            ) { pipeline, file in
                let bad = Set(stride(from: 5, to: 1_000, by: 10))
                try await pipeline.send(
                    (0..<1_000).map { number in
                        let items = (0..<10).map {
                            "[\(number * 10 + $0),\($0 == number % 7 && bad.contains(number) ? 13 : 1)]"
                        }
                        return record(
                            Array("{\"items\":[\(items.joined(separator: ","))]}".utf8), partition: Int32(number % 2))
                    })
                let result = try await pipeline.catchUp(["--mapping", file])
                try #require(result.status == 0, "\(result.err)")
                #expect(
                    try await pipeline.sql("SELECT DISTINCT id / 10 FROM state ORDER BY 1").compactMap { Int($0[0]) }
                        == (0..<1_000).filter { !bad.contains($0) })
                #expect(try await pipeline.number("SELECT count(*) FROM state") == 9_000)
                #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") == 100)
                #expect(result.out.contains("\"rows\":{\"state\":9000}"), "\(result.out)")
            }
        }
    }
}
