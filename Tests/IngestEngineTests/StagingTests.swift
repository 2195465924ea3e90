import KafkaWire
import PGWire
import Testing

@testable import IngestEngine

@Suite struct StagingTests {
    private static let shape = TableShape(
        name: TableName(schema: "s", table: "a\"b"),
        columns: [
            .init(name: "id", type: .int4, isNotNull: true),
            .init(name: "n", type: .domain(base: .int4, isChecked: true)),
            .init(name: "tfi_sequence", type: .text),
        ], primaryKey: ["id"])

    private func staging(_ action: Staging.Action, _ columns: [String] = ["id", "n", "tfi_sequence"]) -> Staging {
        Staging(
            action, table: Self.shape, columns: columns, number: 2, quote: PostgresText.quotedIdentifier)
    }

    @Test func theTemporaryTableHasTheColumnsWithoutConstraints() {
        let upsert = staging(.upsert(key: ["id"]))
        #expect(upsert.table == TableName(schema: "pg_temp", table: "tfi_rows_2"))
        #expect(upsert.columns == ["id", "n", "tfi_sequence", "tfi_sequence_", "tfi_deletion"])
        #expect(
            upsert.creation
                == "CREATE TEMPORARY TABLE \"pg_temp\".\"tfi_rows_2\" ON COMMIT DROP AS SELECT \"id\", "
                + "\"n\"::integer AS \"n\", \"tfi_sequence\", NULL::integer AS \"tfi_sequence_\", "
                + "NULL::boolean AS \"tfi_deletion\" FROM \"s\".\"a\"\"b\" WITH NO DATA")
    }

    @Test func anUpsertReplacesAllColumnsButTheKey() {
        let all = staging(.upsert(key: ["id"]), ["id", "n"])
        #expect(
            all.insert().hasSuffix(" ON CONFLICT (\"id\") DO UPDATE SET \"n\" = excluded.\"n\""), "\(all.insert())")
        #expect(all.insert(3...7).contains(" WHERE \"tfi_sequence\" BETWEEN 3 AND 7 "), "\(all.insert(3...7))")
        #expect(staging(.upsert(key: ["id"]), ["id"]).insert().hasSuffix(" ON CONFLICT (\"id\") DO NOTHING"))
        #expect(staging(.ignore(key: ["id"])).insert().hasSuffix(" ON CONFLICT (\"id\") DO NOTHING"))
        #expect(!staging(.append).insert().contains("CONFLICT"))
        #expect(
            all.single(isDeletion: false)
                == "INSERT INTO \"s\".\"a\"\"b\" (\"id\", \"n\") VALUES ($1, $2) ON CONFLICT (\"id\") DO UPDATE SET "
                + "\"n\" = excluded.\"n\"")
        #expect(all.single(isDeletion: true) == "DELETE FROM ONLY \"s\".\"a\"\"b\" WHERE \"id\" = $1")
    }

    @Test func rowsBelongToRecords() {
        func origin(_ offset: Int64) -> RecordOrigin { RecordOrigin(batch: 0, offset: offset) }
        let records = StagedIsolation.Records([origin(1), origin(2), origin(2), origin(2), origin(5)])
        #expect(records.count == 3)
        #expect(records.rows(0..<1) == 1...1 && records.rows(1..<2) == 2...4 && records.rows(0..<3) == 1...5)
        #expect([1, 2, 3, 4, 5].map { records.record(ofRow: $0) } == [0, 1, 1, 1, 2])
        #expect(records.indices(of: [origin(5), origin(7)]) == [2])
    }
}

@Suite struct SpecialRouteTests {
    private static let columns = [
        SamplePlan.column("id", .int4, isNotNull: true), SamplePlan.column("n", .int4),
        SamplePlan.column("took", .interval),
    ]

    private func route(_ mode: BoundRoute.Mode, _ change: (inout Route) -> Void = { _ in }) -> BoundRoute {
        var route = SamplePlan.route([], "a", Self.columns)
        route.mode = mode
        change(&route.route)
        return route
    }

    private func upsert(_ tombstone: BoundRoute.Tombstone) -> BoundRoute {
        route(.upsert(key: ["id"], tombstone: tombstone))
    }

    private static let deletes = BoundRoute.Tombstone.delete(.init(columns: [columns[0]], textColumn: "id"))

    private func value(_ number: Int) -> [UInt8] { [0, 0, 0, 4, 0, 0, 0, UInt8(number)] }
    private let null: [UInt8] = [0xff, 0xff, 0xff, 0xff]
    private func flag(_ flag: Bool) -> [UInt8] { [0, 0, 0, 1, flag ? 1 : 0] }

    @Test func stagedRowsHaveTheirSequence() throws {
        let plan = IngestPlan([upsert(Self.deletes)])
        let batch = try CopyBatch(plan)
        try batch.append(
            recordBatch([
                SampleRecord(value: #"{"id":1,"n":2}"#), SampleRecord(key: "7", value: nil),
                SampleRecord(value: #"{"id":"x"}"#), SampleRecord(value: #"{"id":3,"took":"1 day"}"#),
                SampleRecord(key: #" {"id":8}"#, value: nil), SampleRecord(key: "x", value: nil),
            ]), position: 0, now: .now)
        let rows =
            [0, 5] + value(1) + value(2) + null + value(1) + flag(false)
            + [0, 5] + value(7) + null + null + value(2) + flag(true)
            + [0, 5] + value(8) + null + null + value(4) + flag(true)
        #expect(batch.rowBytes(of: 0) == rows)
        #expect(batch.rowCounts == [4] && batch.serverRowCount(of: 0) == 1 && batch.deadLetterCount == 2)
    }

    /// The sequence decides which row of a key is the last, so it must ascend over the remaining and the following
    /// rows.
    @Test func removingAPartitionKeepsTheOrderOfTheOthers() throws {
        func records(_ ids: Int...) -> [SampleRecord] {
            ids.map { SampleRecord(value: #"{"id":\#($0)}"#) }
        }
        let batch = try CopyBatch(IngestPlan([upsert(Self.deletes)]))
        try batch.append(recordBatch(records(1), partition: 1), position: 0, now: .now)
        try batch.append(
            recordBatch(
                records(2) + [
                    SampleRecord(key: "2", value: nil), SampleRecord(value: #"{"id":2,"took":"1 day"}"#),
                    SampleRecord(value: "{"),
                ], partition: 2), position: 0, now: .now)
        try batch.append(recordBatch(records(3), partition: 1), position: 1, now: .now)
        batch.remove([TopicPartition(topic: "t", partition: 2)])
        try batch.append(recordBatch(records(4), partition: 1), position: 2, now: .now)
        func row(_ id: Int, sequence: Int) -> [UInt8] {
            [0, 5] + value(id) + null + null + value(sequence) + flag(false)
        }
        #expect(batch.rowBytes(of: 0) == row(1, sequence: 1) + row(3, sequence: 5) + row(4, sequence: 6))
        #expect(batch.rowCounts == [3] && batch.serverRowCount(of: 0) == 0 && batch.deadLetterCount == 0)
    }

    @Test func tombstonesCanBeIgnoredOrRejected() throws {
        for (tombstone, letters) in [(BoundRoute.Tombstone.ignore, 0), (.deadLetter, 1)] {
            let batch = try CopyBatch(IngestPlan([upsert(tombstone)]))
            try batch.append(recordBatch([SampleRecord(value: nil)]), position: 0, now: .now)
            #expect(batch.rowCounts == [0] && batch.deadLetterCount == letters && batch.recordCount == 1)
        }
    }

    @Test func allElementsBecomeRowsOrNone() throws {
        let plan = IngestPlan([route(.append) { $0.each = JSONPath(steps: [.field("a")]) }])
        let samples = [
            SampleRecord(value: #"{"a":[{"id":1},{"id":2,"took":"1 day"}, {"id":3}]}"#),
            SampleRecord(value: #"{"a":[]}"#), SampleRecord(value: #"{"a":[{"id":4},{"id":5,"took":"2 days"},7]}"#),
            SampleRecord(value: #"{"a":null}"#), SampleRecord(value: nil),
        ]
        let batch = try CopyBatch(plan)
        try batch.append(recordBatch(samples), position: 0, now: .now)
        // Nothing is staged as long as no row is refused.
        #expect(batch.rowBytes(of: 0) == [0, 3] + value(1) + null + null + [0, 3] + value(3) + null + null)
        #expect(batch.rowCounts == [3] && batch.serverRowCount(of: 0) == 1 && batch.deadLetterCount == 3)
        #expect(batch.rejections.last == "the record has no value")
        batch.removeAll()
        try batch.append([recordBatch(samples)], in: [SamplePlan.place: 0..<5])
        #expect(
            batch.rowBytes(of: 0)
                == [0, 5] + value(1) + null + null + value(1) + flag(false) + [0, 5] + value(3) + null + null + value(3)
                + flag(false))
        #expect(batch.serverOrigins(of: 0) == [RecordOrigin(batch: 0, offset: 0)])
        #expect(batch.recordCount(ofBatch: 0) == 5)
        batch.removeAll()
        try batch.append(recordBatch([samples[0]]), position: 0, now: .now)
        #expect(batch.rowBytes(of: 0).starts(with: [0, 3]))
    }

    @Test func routesOfDifferentModesHaveTheirOwnTargets() throws {
        let plan = IngestPlan([
            upsert(.ignore), route(.append), upsert(Self.deletes), route(.ignore(key: ["id"])),
            route(.append) { $0.each = JSONPath(steps: [.field("a")]) },
        ])
        #expect(plan.targetOfRoute == [0, 1, 0, 2, 1])
        #expect(plan.targets.map(\.isStaged) == [true, false, true])
        #expect(plan.targets.map { $0.staging?.action } == [.upsert(key: ["id"]), .append, .ignore(key: ["id"])])
    }

    @Test func anUnreadableBatchLeavesTheRowsBefore() throws {
        let batch = try CopyBatch(IngestPlan([upsert(Self.deletes)]))
        var rows = TargetRows(batch.plan.targets[0], capacity: 0)
        rows.rows.beginRow(columns: 0)
        let before = rows.present
        rows.append(serverRow: Array("{}".utf8), isDeletion: true)
        rows.append(serverRow: Array(#"{"id":1}"#.utf8), isDeletion: false)
        let parameter = rows.server.parameter
        #expect(
            parameter
                == .text(
                    #"[{"tfi_sequence":1,"tfi_deletion":true},{"id":1,"tfi_sequence":2,"tfi_deletion":false}]"#))
        rows.rollback(to: before)
        let (staged, deletions, count) = (rows.staged, rows.deletions, rows.count)
        #expect(staged == 0 && deletions == 0 && count == 1)
    }
}
