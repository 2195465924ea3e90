import Foundation
import KafkaWire
import TestSupport
import Testing

extension DatabaseTests {
    /// Rows that the database refuses, for any reason.
    @Suite struct RefusedRowTests {
        /// Causes that refuse the rows with zone 13.
        private static let causes: [String: String] = [
            "check": "ALTER TABLE ucp ADD CONSTRAINT zone_is_known CHECK (zone_id <> 13)",
            "foreign key": """
            CREATE TABLE zone (id int PRIMARY KEY); INSERT INTO zone VALUES (7);
            ALTER TABLE ucp ADD FOREIGN KEY (zone_id) REFERENCES zone
            """,
            "deferred foreign key": """
            CREATE TABLE zone (id int PRIMARY KEY); INSERT INTO zone VALUES (7);
            ALTER TABLE ucp ADD FOREIGN KEY (zone_id) REFERENCES zone DEFERRABLE INITIALLY DEFERRED
            """,
            "custom code": trigger("RAISE 'no' USING ERRCODE = 'XY001'"),
            "assertion": trigger("ASSERT new.zone_id <> 13"),
            "no data": trigger("RAISE no_data_found"),
            "bug in a trigger": trigger("PERFORM 1 FROM no_such_table"),
            "internal error": trigger("RAISE 'no' USING ERRCODE = 'XX000'"),
            "statement trigger": """
            CREATE FUNCTION check_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF EXISTS (SELECT FROM added WHERE zone_id = 13) THEN RAISE 'no' USING ERRCODE = 'XY002'; END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER check_all AFTER INSERT ON ucp REFERENCING NEW TABLE AS added
                FOR EACH STATEMENT EXECUTE FUNCTION check_all()
            """,
        ]

        private static func trigger(_ statement: String) -> String {
            """
            CREATE FUNCTION check_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF new.zone_id = 13 THEN \(statement); END IF;
                RETURN new;
            END $$;
            CREATE TRIGGER check_row BEFORE INSERT ON ucp FOR EACH ROW EXECUTE FUNCTION check_row()
            """
        }

        @Test(arguments: causes.keys.sorted()) func onlyTheRefusedRowsBecomeDeadLetters(cause: String) async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.sql(Self.causes[cause] ?? "")
            let bad = Set([0, 1, 2, 500, 777, 1_998, 1_999] + stride(from: 600, to: 1_400, by: 97))
            try await pipeline.send((0..<2_000).map { pipeline.passage($0, zone: bad.contains($0) ? 13 : 7) })
            let result = try await pipeline.catchUp()
            try #require(result.status == 0, "\(result.err)")
            #expect(try await pipeline.units() == (0..<2_000).filter { !bad.contains($0) })
            #expect(try await pipeline.deadUnits() == bad.sorted())
            #expect(try await pipeline.committed() == 2_000)
            #expect(result.out.contains("\"dead_letters\":\(bad.count),"), "\(result.out)")
            #expect(result.err.contains("dead letter: partition "), "\(result.err)")
            await pipeline.close()
        }

        /// Two equal keys in a batch: the first one becomes a row.
        @Test(arguments: ["", " DEFERRABLE INITIALLY DEFERRED"])
        func ofEqualKeysOneBecomesARow(deferral: String) async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.sql("ALTER TABLE ucp ADD UNIQUE (qls_unit_id)\(deferral)")
            try await pipeline.send((0..<1_500).map { pipeline.passage($0 % 1_000) })
            let result = try await pipeline.catchUp()
            try #require(result.status == 0, "\(result.err)")
            #expect(try await pipeline.units() == Array(0..<1_000))
            #expect(try await pipeline.deadUnits() == Array(0..<500))
            await pipeline.close()
        }

        @Test func rowsThatATriggerSuppressesAreReported() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.sql(Self.trigger("RETURN NULL"))
            try await pipeline.send((0..<100).map { pipeline.passage($0, zone: $0 < 10 ? 13 : 7) })
            let result = try await pipeline.catchUp()
            try #require(result.status == 0, "\(result.err)")
            #expect(try await pipeline.units() == Array(10..<100))
            #expect(result.out.contains("\"suppressed_rows\":10,"), "\(result.out)")
            #expect(result.out.contains("\"ucp\":90,"), "\(result.out)")
            #expect(result.err.contains("rows that the database suppressed: 10"), "\(result.err)")
            await pipeline.close()
        }

        @Test func aBatchThatExceedsTheTimeLimitIsSplit() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.sql(Self.trigger("NULL").replacing("IF new", with: "PERFORM pg_sleep(0.002); IF new"))
            try await pipeline.send((0..<1_200).map { pipeline.passage($0) })
            let result = try await pipeline.catchUp(
                database: pipeline.postgres.uri + "?options=-c%20statement_timeout%3D1s")
            try #require(result.status == 0, "\(result.err)")
            #expect(try await pipeline.units() == Array(0..<1_200))
            await pipeline.close()
        }
    }

    /// A cause that affects every record.
    @Suite struct DeadLetterLimitTests {
        @Test(arguments: [
            (
                "ALTER TABLE ucp ADD COLUMN shift integer NOT NULL DEFAULT 0; ALTER TABLE ucp ALTER shift DROP DEFAULT",
                "ALTER TABLE ucp DROP COLUMN shift", "column \"shift\" (integer) is missing or null"
            ),
            (
                "ALTER TABLE ucp ADD CONSTRAINT none CHECK (zone_id = 0) NOT VALID",
                "ALTER TABLE ucp DROP CONSTRAINT none",
                "none"
            ),
            ("ALTER TABLE ucp RENAME TO other", "ALTER TABLE other RENAME TO ucp", "42P01"),
        ])
        func consumptionWaitsForTheRepair(breaking: String, repair: String, reason: String) async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send((0..<100).map { pipeline.passage($0) })
            let consumer = try await pipeline.startConsumer()
            try await eventually("the first rows") { try await pipeline.units().count == 100 }
            try await pipeline.sql(breaking)
            try await pipeline.send((100..<6_000).map { pipeline.passage($0) })
            // A missing table stops consumption without counting dead letters.
            let isCounted = reason != "42P01"
            try await eventually("the log says that consumption stopped, and why") {
                let lines = try consumer.errors()
                return lines.contains(reason) && (!isCounted || lines.contains("consumption is stopped"))
            }
            let letters = try await pipeline.number("SELECT count(*) FROM dead_letter")
            #expect(letters <= 1_000)
            try await pipeline.sql(repair)
            try await eventually("all records are committed") { try await pipeline.committed() == 6_000 }
            #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") == letters)
            #expect(try await (pipeline.units() + pipeline.deadUnits()).sorted() == Array(0..<6_000))
            try await endInOrder(consumer, within: .seconds(8))
            await pipeline.close()
        }

        @Test func aSignalEndsTheWait() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.sql("ALTER TABLE ucp ADD CONSTRAINT none CHECK (zone_id = 0)")
            try await pipeline.send((0..<3_000).map { pipeline.passage($0) })
            let consumer = try await pipeline.startConsumer()
            try await eventually("the log says that consumption stopped") {
                try consumer.errors().contains("consumption is stopped")
            }
            try await endInOrder(consumer, within: .seconds(8))
            #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") <= 1_000)
            await pipeline.close()
        }

        @Test func recordsThatCannotBeMappedCountToo() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send(
                (0..<5_000).map { unit in
                    ProducerRecord(
                        topic: FakePipeline.topic, partition: Int32(unit % 2), key: Array("unknown".utf8),
                        value: Array("{}".utf8))
                })
            let consumer = try await pipeline.startConsumer()
            try await eventually("the log says that consumption stopped") {
                try consumer.errors().contains("consumption is stopped")
            }
            try await endInOrder(consumer, within: .seconds(8))
            #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") <= 1_000)
            await pipeline.close()
        }
    }
}
