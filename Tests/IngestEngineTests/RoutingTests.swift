import KafkaWire
import PGWire
import Testing

@testable import IngestEngine

/// The selection of a route, and so of a table, for each record.
@Suite("Routing")
struct RoutingTests {
    private static let id = SamplePlan.column("id", .int4)

    /// The row counts of the targets and of the dead letters.
    private func counts(
        _ routes: [BoundRoute], unrouted: Mapping.Unrouted = .deadLetter, _ samples: [SampleRecord]
    ) throws -> (rows: [Int], deadLetters: Int) {
        let batch = try CopyBatch(IngestPlan(routes, unrouted: unrouted))
        try batch.append(recordBatch(samples), position: 0, now: .now)
        #expect(batch.recordCount == samples.count)
        return (batch.rowCounts, batch.deadLetterCount)
    }

    @Test(arguments: ["", "a", "1234567", "12345678", "123456789", String(repeating: "k", count: 64)])
    func onlyTheWholeKeyIsTheKey(key: String) throws {
        let routes = [SamplePlan.route([.key(key)], "a", [Self.id])]
        let others: [String?] = [key + "x", String(key.dropLast()) + "y", nil].filter { $0 != key }
        let samples = [SampleRecord(key: key)] + others.map { SampleRecord(key: $0) }
        let result = try counts(routes, samples)
        #expect(result.rows == [1] && result.deadLetters == others.count)
    }

    @Test func aLongKeyIsComparedToo() throws {
        let key = String(repeating: "k", count: 65)
        let result = try counts(
            [SamplePlan.route([.key(key)], "a", [Self.id])],
            [SampleRecord(key: key), SampleRecord(key: key + "k"), SampleRecord(key: String(key.dropLast()))])
        #expect(result.rows == [1] && result.deadLetters == 2)
    }

    @Test func theFirstMatchingRouteTakesTheRecord() throws {
        let path = try JSONPath("$.kind")
        let routes = [
            SamplePlan.route([.key("machine"), .header("v", "2")], "a", [Self.id]),
            SamplePlan.route([.field(path, "b\"")], "b", [Self.id]),
            SamplePlan.route([.field(path, "3")], "c", [Self.id]),
            SamplePlan.route([], "d", [Self.id]),
        ]
        let samples = [
            SampleRecord(
                key: "machine", value: #"{"id":1}"#,
                headers: [RecordHeader("v", Array("1".utf8)), RecordHeader("v", Array("2".utf8))]),
            SampleRecord(
                key: "machine", value: #"{"id":1}"#,
                headers: [RecordHeader("v", Array("2".utf8)), RecordHeader("v", nil)]),
            SampleRecord(key: nil, value: #"{"id":1,"kind":"b\u0022"}"#),
            SampleRecord(key: nil, value: #"{"id":1,"kind":3}"#),
            SampleRecord(key: nil, value: #"{"id":1,"kind":[3]}"#),
        ]
        let result = try counts(routes, samples)
        #expect(result.rows == [1, 1, 1, 2] && result.deadLetters == 0)
    }

    @Test func aTopicHasItsOwnRoutes() throws {
        let routes = [
            SamplePlan.route([], "a", [Self.id], topic: .name("other")),
            SamplePlan.route([], "b", [Self.id], topic: .pattern("[t-z]")),
        ]
        let result = try counts(routes, [SampleRecord()])
        #expect(result.rows == [0, 1])
    }

    @Test func unroutedRecordsCanBeIgnored() throws {
        let result = try counts(
            [SamplePlan.route([.key("a")], "a", [Self.id])], unrouted: .ignore,
            [SampleRecord(), SampleRecord(key: "a")])
        #expect(result.rows == [1] && result.deadLetters == 0)
    }

    @Test func routesWithTheSameColumnsShareACopy() throws {
        let routes = [
            SamplePlan.route([.key("a")], "x", [Self.id]), SamplePlan.route([.key("b")], "x", [Self.id]),
            SamplePlan.route([.key("c")], "x", [Self.id, SamplePlan.column("value", .int4)]),
        ]
        let plan = IngestPlan(routes)
        #expect(plan.targets.count == 2 && plan.targetOfRoute == [0, 0, 1] && plan.labels == ["x", "x"])
        let result = try counts(routes, [SampleRecord(key: "a"), SampleRecord(key: "b"), SampleRecord(key: "c")])
        #expect(result.rows == [2, 1])
    }

    @Test func recordsHaveTheirOwnMetadata() throws {
        let routes = [
            SamplePlan.route(
                [], "a",
                [
                    SamplePlan.column("topic", .text, .record(.topic), isNotNull: true),
                    SamplePlan.column("trace", .text, .header("trace")),
                ])
        ]
        let batch = try CopyBatch(IngestPlan(routes))
        let headers = [RecordHeader("trace", "a"), RecordHeader("trace", "b")]
        try batch.append(
            recordBatch([SampleRecord(value: nil, headers: headers), SampleRecord(value: nil)]), position: 0, now: .now)
        func text(_ bytes: [UInt8]) -> [UInt8] { [0, 0, 0, UInt8(bytes.count)] + bytes }
        let first = [0, 2] + text(Array("t".utf8)) + text(Array("b".utf8))
        #expect(batch.rowBytes(of: 0) == first + [0, 2] + text(Array("t".utf8)) + [0xff, 0xff, 0xff, 0xff])
    }

    /// An interval is a form that only the server parses.
    @Test func rowsParsedByTheServerCountAndKeepTheirOrigins() throws {
        let batch = try CopyBatch(SamplePlan.plan)
        let samples = [
            SampleRecord(key: "alarm", value: #"{"code":1,"length":"1 day"}"#),
            SampleRecord(key: "alarm", value: #"{"code":2}"#),
        ]
        try batch.append([recordBatch(samples)], in: [SamplePlan.place: 0..<2])
        #expect(batch.rowCounts == [0, 2] && batch.serverRowCount(of: 1) == 1)
        #expect(batch.serverOrigins(of: 1) == [RecordOrigin(batch: 0, offset: 0)])
        #expect(batch.origins(of: 1) == [RecordOrigin(batch: 0, offset: 1)])
    }
}

extension CopyBatch {
    /// The rows of a target as COPY receives them.
    func rowBytes(of target: Int) -> [UInt8] { content.copiedBytes(of: target) }
}

extension BatchContent {
    func copiedBytes(of target: Int) -> [UInt8] {
        unsafe targets[target].rows.bytes.withUnsafeBytes { unsafe Array($0) }
    }
}
