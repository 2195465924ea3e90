import KafkaWire
import PGWire
import TestSupport
import Testing

extension DatabaseTests {
    /// Schemas created by earlier versions of the program.
    @Suite struct MigrationTests {
        /// The program's own tables as created by version 0.1.0.
        private static let firstVersion = """
            CREATE TABLE dead_letter (
                "topic" text NOT NULL, "partition" integer NOT NULL, "offset" bigint NOT NULL,
                "timestamp" timestamp with time zone, key bytea, value bytea, headers jsonb, reason text NOT NULL,
                received_at timestamp with time zone NOT NULL DEFAULT now()
            );
            CREATE TABLE kafka_offset (
                group_name text NOT NULL, topic text NOT NULL, partition integer NOT NULL, next_offset bigint NOT NULL,
                topic_id text, leader_epoch integer, updated_at timestamp with time zone NOT NULL DEFAULT now(),
                PRIMARY KEY (group_name, topic, partition)
            )
            """
        private static let ownTables = "dead_letter, kafka_offset, schema_version, kafka_offset_change, own_view"

        private static func initialize(_ pipeline: FakePipeline, _ more: [String] = []) async throws -> ProgramResult {
            try await run(
                try Repository.program("tfi-consumer"),
                ["init", "--database", pipeline.postgres.uri, "--schema", pipeline.schema] + more)
        }

        /// Columns and constraints of the program's own tables.
        private static let shape = """
            SELECT class.relname, attribute.attnum, attribute.attname, format_type(atttypid, atttypmod), attnotnull,
                attidentity, pg_get_expr(adbin, adrelid)
            FROM pg_attribute AS attribute JOIN pg_class AS class ON class.oid = attrelid
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0
            UNION ALL
            SELECT conrelid::regclass::text, 0, conname, pg_get_constraintdef(oid), NULL, NULL, NULL FROM pg_constraint
            WHERE connamespace = current_schema()::regnamespace
            ORDER BY 1, 2, 3
            """

        @Test func theFirstVersionIsMigratedAndKeepsItsRows() async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            let fresh = try await pipeline.sql(Self.shape)
            try await pipeline.sql(
                """
                DROP TABLE \(Self.ownTables) CASCADE; \(Self.firstVersion);
                INSERT INTO dead_letter (topic, "partition", "offset", value, reason)
                VALUES ('TFI', 0, 7, '\\x00', 'an old reason');
                INSERT INTO kafka_offset (group_name, topic, partition, next_offset) VALUES ('old', 'TFI', 0, 12);
                INSERT INTO ucp VALUES (1, '2024-03-12 08:00:00', 40, 7)
                """)
            // A run needs the current version, and says how to get it.
            let refused = try await pipeline.catchUp()
            #expect(refused.status == 78)
            #expect(refused.err.contains("have version 1, and this program needs version 2: run 'tfi-consumer init'"))
            let result = try await Self.initialize(pipeline)
            #expect(
                result.status == 0 && result.err.contains("was upgraded from version 1 to 2"), "\(result.err)")
            #expect(try await pipeline.sql(Self.shape) == fresh)
            #expect(
                try await pipeline.sql("SELECT id, \"offset\", reason, retries FROM dead_letter")
                    == [["1", "7", "an old reason", "0"]])
            #expect(try await pipeline.sql("SELECT next_offset FROM kafka_offset") == [["12"]])
            #expect(try await pipeline.units() == [1])
            #expect(try await pipeline.sql("SELECT units FROM tile_total") == [["1"]])
            #expect(try await Self.initialize(pipeline).err.contains("is ready"))
            try await pipeline.send([pipeline.passage(2, partitions: 1)])
            #expect(try await pipeline.catchUp().status == 0)
            #expect(try await pipeline.units() == [1, 2])
            await pipeline.close()
        }

        @Test func aLaterVersionIsLeftAlone() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.sql("INSERT INTO schema_version VALUES (99, '9.0.0')")
            for result in [try await Self.initialize(pipeline), try await pipeline.catchUp()] {
                #expect(result.status == 78, "\(result.err)")
                #expect(result.err.contains("have version 99, and this program knows version 2"))
            }
            await pipeline.close()
        }

        @Test func aViewChangedByAUserStays() async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            try await pipeline.sql(
                """
                CREATE ROLE "\(pipeline.schema)"; GRANT SELECT ON tile_nok TO "\(pipeline.schema)";
                CREATE OR REPLACE VIEW tile_total (day, units) AS SELECT current_date, 7::bigint
                """)
            let result = try await Self.initialize(pipeline)
            #expect(result.status == 0)
            #expect(
                result.err.contains("the view tile_total has been changed by hand and stays as it is; --replace-views"))
            #expect(!result.err.contains("tile_nok"))
            #expect(try await pipeline.sql("SELECT units FROM tile_total") == [["7"]])
            #expect(try await Self.initialize(pipeline, ["--replace-views"]).err.contains("is ready"))
            #expect(try await pipeline.sql("SELECT units FROM tile_total") == [])
            let again = try await Self.initialize(pipeline)
            #expect(!again.err.contains("tile_total"))
            #expect(
                try await pipeline.sql("SELECT has_table_privilege('\(pipeline.schema)', 'tile_nok', 'SELECT')") == [
                    ["t"]
                ])
            try await pipeline.sql(
                "REVOKE ALL ON tile_nok FROM \"\(pipeline.schema)\"; DROP ROLE \"\(pipeline.schema)\"")
            await pipeline.close()
        }

        @Test func initDoesNotWaitForeverForAnOpenTransaction() async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            try await pipeline.sql("DROP TABLE \(Self.ownTables) CASCADE; \(Self.firstVersion)")
            let dashboard = try await PostgresConnection.connect(to: pipeline.postgres.uri)
            try await dashboard.execute("BEGIN; SELECT count(*) FROM \"\(pipeline.schema)\".dead_letter")
            let began = ContinuousClock.now
            let result = try await Self.initialize(pipeline)
            #expect(result.status == 69, "\(result.err)")
            #expect(.now - began < .seconds(20))
            try await dashboard.execute("COMMIT")
            await dashboard.close()
            #expect(try await Self.initialize(pipeline).status == 0)
            await pipeline.close()
        }
    }
}
