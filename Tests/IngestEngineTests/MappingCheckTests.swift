import KafkaWire
import PGWire
import Testing

@testable import IngestEngine

@Suite struct MappingCheckTests {
    private static let table = TableShape(
        name: TableName(table: "t"),
        columns: [.init(name: "id", type: .int4, isNotNull: true), .init(name: "at", type: .timestamp(precision: 6))],
        primaryKey: ["id"])

    /// The report on checking messages of topic `x`.
    private func report(_ yaml: String, _ records: [CheckedRecord]) throws -> CheckReport {
        let mapping = try MappingFile.read(Array(yaml.utf8), named: "m.yaml")
        let catalog = Catalog(tables: [TableName(table: "t"): .success(Self.table)], user: "u", fingerprint: nil)
        let check = try MappingCheck(try Binder.bind(mapping, to: catalog))
        for record in records { check.check(record) }
        return check.report
    }

    private func record(_ value: String?, key: String? = nil, _ headers: (String, String)...) -> CheckedRecord {
        CheckedRecord(
            topic: "x", partition: 0, offset: 7, key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) },
            headers: headers.map { RecordHeader($0.0, $0.1) })
    }

    @Test("rows, rejections by reason and unrouted records are counted")
    func counts() throws {
        let report = try report(
            "routes: [{ topic: x, when: { key: a }, table: t }]",
            [
                record("{\"id\":1}", key: "a"), record("{\"id\":\"x\"}", key: "a"), record("{\"id\":\"y\"}", key: "a"),
                record("{\"id\":1,\"at\":\"Mar 3 2024\"}", key: "a"), record("{", key: "a"), record("{\"id\":1}"),
                record("{\"id\":1}", key: "b"),
            ])
        let entry = report.routes[0]
        #expect((entry.records, entry.rows, entry.serverRows) == (5, 2, 1))
        #expect(entry.rejections.map(\.count) == [2, 1])
        #expect(entry.rejections[0].reason == "$.id for column \"id\": expected integer")
        #expect(entry.rejections[0].example.reason == "$.id for column \"id\": expected integer, found \"x\"")
        #expect(entry.rejections[1].reason.hasPrefix("the message is not valid JSON"))
        #expect(report.unrouted == 2)
        #expect(report.firstUnrouted?.offset == 7)
        #expect(!report.isClean)
    }

    @Test("routes select by topic, key, header and field")
    func selection() throws {
        func selects(_ when: String, _ record: CheckedRecord) throws -> Bool {
            try report("routes: [{ topic: \"x.*\", when: { \(when) }, table: t }]", [record]).unrouted == 0
        }
        #expect(try selects("key: a", record("{}", key: "a")))
        #expect(try !selects("key: a", record("{}", key: "ab")))
        #expect(try selects("header: { h: b }", record("{}", ("h", "a"), ("h", "b"))))
        #expect(try !selects("header: { h: a }", record("{}", ("h", "a"), ("h", "b"))))
        #expect(try selects("field: { $.a.b: \"1\" }", record("{\"a\":{\"b\":1}}")))
        #expect(try selects("field: { a: \"é\" }", record("{\"a\":\"\\u00e9\"}")))
        #expect(try selects("field: { \"$.a[1]\": \"true\" }", record("{\"a\":[0,true]}")))
        #expect(try !selects("field: { a: \"1\" }", record("{\"a\":1.0}")))
        #expect(try !selects("field: { a: \"1\" }", record("not JSON")))
        let other = CheckedRecord(topic: "yx", partition: 0, offset: 0, value: Array("{}".utf8))
        #expect(try !selects("key: a", other))
    }

    /// A record with an element that can't become a row has no rows.
    @Test("messages can be text in a field or elements of an array")
    func parts() throws {
        let text = "{\"p\":\"{\\\"items\\\":[{\\\"id\\\":1},{\\\"id\\\":12345678901},{\\\"id\\\":3}]}\"}"
        let entry = try report(
            "routes: [{ topic: x, table: t, json: $.p, each: '$.items[*]' }]",
            [
                record(text), record(text.replacing("12345678901", with: "2")), record("{\"p\":1}"),
                record("{\"p\":\"{}\"}"),
            ]
        ).routes[0]
        #expect((entry.records, entry.rows) == (4, 3))
        #expect(
            entry.rejections.map(\.reason) == [
                "$.id for column \"id\": expected a value in the range of integer",
                "$.p (\"json\") is missing or not a string", "$.items (\"each\") is missing or not an array",
            ])
    }

    @Test("tombstones are counted separately")
    func others() throws {
        func entry(_ settings: String, _ record: CheckedRecord) throws -> CheckReport.Entry {
            try report("routes: [{ topic: x, table: t, \(settings) }]", [record]).routes[0]
        }
        #expect(try entry("mode: upsert, tombstone: delete", record(nil, key: "7")).deletions == 1)
        #expect(try entry("mode: upsert, tombstone: delete", record(nil)).rejections.count == 1)
        #expect(try entry("mode: upsert, tombstone: ignore", record(nil)).ignoredTombstones == 1)
        #expect(try entry("mode: upsert", record(nil)).rejections.count == 1)
        #expect(try entry("mode: append", record(nil)).rejections.map(\.reason) == ["the record has no value"])
    }
}
