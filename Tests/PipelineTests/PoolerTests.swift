import Foundation
import KafkaFake
import KafkaWire
import PGWire
import TestSupport
import Testing

extension DatabaseTests {
    /// Runs through a pgbouncer in transaction mode.
    @Suite(.enabled(if: Pgbouncer.isAvailable, "\(Pgbouncer.skipReason)"))
    struct PoolerTests {
        /// The settings of the server session that it didn't have at its start. pgbouncer itself sets for each client
        /// what the client requested on connecting.
        private static let leftovers = """
            SELECT 'setting ' || name || ' = ' || setting FROM pg_settings
            WHERE source = 'session' AND setting IS DISTINCT FROM reset_val AND name NOT IN ('application_name',
                'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')
            UNION ALL SELECT 'temporary table ' || relname FROM pg_class WHERE relpersistence = 't'
                AND relnamespace = pg_my_temp_schema()
            UNION ALL SELECT 'prepared statement ' || name FROM pg_prepared_statements
            UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE is_holdable
            UNION ALL SELECT 'channel ' || pg_listening_channels()
            UNION ALL SELECT 'lock ' || locktype FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'
            """
        private static let mapping = """
            routes:
              - topic: TFI
                table: SCHEMA.ucp
                columns:
                  qls_unit_id: qls_unit_id
                  unit_collection_pt_timestamp: unit_collection_pt_timestamp
                  collection_point_id: collection_point_id
                  zone_id: { path: $.zone_id, default: 7 }
              - topic: state
                table: SCHEMA.state
                mode: upsert
                tombstone: delete
                columns: { id: id, n: n, at: at }
            """

        /// Everything that a run does in a transaction: COPY, staged rows, deletions, forms that only the server
        /// parses, and rows that it refuses.
        @Test func nothingIsLeftBehindForTheNextClientOfASession() async throws {
            let tables = """
                \(StateModel.tables); ALTER TABLE state ADD CHECK (n <> 13);
                CREATE TABLE seen (pid int);
                CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN EXECUTE format('INSERT INTO %I.seen VALUES (pg_backend_pid())', TG_TABLE_SCHEMA); RETURN NULL; END $$;
                CREATE TRIGGER note AFTER INSERT ON ucp FOR EACH STATEMENT EXECUTE FUNCTION note();
                CREATE TRIGGER note AFTER INSERT ON state FOR EACH STATEMENT EXECUTE FUNCTION note()
                """
            try await FakePipeline.withMapping(tables: tables, Self.mapping) { pipeline, file in
                let pool = try await Pgbouncer.start(before: pipeline.postgres, poolSize: 1)
                let other = try await PostgresConnection.connect(to: pool.uri)
                let session = try await other.execute("SELECT pg_backend_pid()").onlyRow[0]
                let defaults = try await Self.settings(other)
                let consumer = try await pipeline.startConsumer(["--mapping", file], database: pool.uri)
                var records = (0..<5_000).map {
                    StateRecord(id: $0 % 700, number: $0 % 11 == 0 ? nil : $0 % 13, hasRareForm: $0 % 50 == 0)
                }
                records.append(StateRecord(id: 701, number: 13))
                try await pipeline.sendStates(records)
                try await pipeline.send((0..<500).map { pipeline.passage($0) })
                try await eventually("everything is committed") { try await pipeline.committed() == 5_501 }
                // Another client's transactions run between those of the run.
                #expect(try await other.execute(Self.leftovers).rows.isEmpty)
                try await pipeline.send((500..<600).map { pipeline.passage($0) })
                try await eventually("the last rows") { try await pipeline.committed() == 5_601 }
                try await endInOrder(consumer, within: .seconds(8))
                #expect(try await pipeline.units() == Array(0..<600))
                var model = StateModel(known: [])
                for record in records { model.apply(record, refusing: 13) }
                #expect(try await pipeline.sql(StateModel.query) == model.table)
                #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") == 1)
                // The run used the same session as the other client.
                #expect(try await pipeline.sql("SELECT DISTINCT pid FROM seen") == [[session ?? ""]])
                #expect(try await other.execute("SELECT pg_backend_pid()").onlyRow[0] == session)
                let left = try await other.execute(Self.leftovers)
                #expect(left.rows.map { $0[0] } == [])
                #expect(try await other.execute("SHOW synchronous_commit").onlyRow[0] == "on")
                #expect(try await Self.settings(other) == defaults)
                await other.close()
                try await pool.close()
            }
        }

        private static func settings(_ connection: PostgresConnection) async throws -> String? {
            try await connection.execute(
                """
                SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings
                WHERE name LIKE '%timeout' OR name LIKE 'tcp%' OR name IN ('synchronous_commit', 'search_path')
                """
            ).onlyRow[0]
        }

        @Test(arguments: [1, 2])
        func runsOfAGroupShareThePool(poolSize: Int) async throws {
            let pipeline = try await FakePipeline.make(partitions: 4)
            let pool = try await Pgbouncer.start(before: pipeline.postgres, poolSize: poolSize)
            func send(_ units: Range<Int>) async throws {
                try await pipeline.send(units.map { pipeline.passage($0, partitions: 4) })
            }
            try await send(0..<2_000)
            let first = try await pipeline.startConsumer(["--workers", "2"], database: pool.uri)
            try await eventually("the first rows") { try await pipeline.units().count > 0 }
            let second = try await pipeline.startConsumer(["--workers", "2"], database: pool.uri)
            // Rows arrive while the second run joins.
            for wave in 1..<10 { try await send(wave * 2_000..<(wave + 1) * 2_000) }
            try await eventually("everything is committed") {
                for run in [first, second] where !run.isRunning { throw ProgramError(try run.errors()) }
                return try await pipeline.committed() == 20_000
            }
            try await endInOrder(first, within: .seconds(8))
            try await send(20_000..<21_000)
            try await eventually("the second run has all partitions") { try await pipeline.committed() == 21_000 }
            try await endInOrder(second, within: .seconds(8))
            #expect(try await pipeline.units() == Array(0..<21_000))
            let other = try await PostgresConnection.connect(to: pool.uri)
            #expect(try await other.execute(Self.leftovers).rows.isEmpty)
            await other.close()
            try await pool.close()
            await pipeline.close()
        }
    }
}
