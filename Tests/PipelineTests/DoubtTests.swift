import Foundation
import PGWire
import TestSupport
import Testing

extension DatabaseTests {
    /// Batches whose outcome the consumer has to determine.
    @Suite struct DoubtTests {
        /// Otherwise the run would mistake another consumer's commit for its own.
        @Test(arguments: [["--standalone"], []])
        func anUncommittedBatchIsNotTakenForWritten(options: [String]) async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            let key = Int32.random(in: 1 ... .max)
            // The first row waits in the middle of its COPY.
            try await pipeline.sql(
                """
                CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_advisory_xact_lock(\(key)); RETURN NEW; END $$;
                CREATE TRIGGER wait BEFORE INSERT ON ucp FOR EACH ROW EXECUTE FUNCTION wait()
                """)
            let lock = try await PostgresConnection.connect(to: pipeline.postgres.uri)
            try await lock.execute("SELECT pg_advisory_lock(\(key))")
            try await pipeline.send((0..<10).map { pipeline.passage($0, partitions: 1) })
            let consumer = try await pipeline.startConsumer(options)
            let waiting = "FROM pg_locks WHERE locktype = 'advisory' AND objid = \(key) AND NOT granted"
            try await eventually("the COPY waits") { try await pipeline.number("SELECT count(*) \(waiting)") == 1 }
            let moving = Task { try await pipeline.sql("UPDATE kafka_offset SET next_offset = 10") }
            try await eventually("the other consumer waits") {
                try await pipeline.number(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE kafka%'"
                )
                    == 1
            }
            try await lock.execute("SELECT pg_terminate_backend(pid) \(waiting)")
            _ = try await moving.value
            await lock.close()
            if options.isEmpty {
                try await eventually("the rows are dropped") {
                    try consumer.errors().contains("another member has moved it")
                }
                consumer.signal(SIGTERM)
            }
            let result = try await consumer.result(timeout: .seconds(20))
            #expect(result.status == (options.isEmpty ? 0 : 75), "\(result.err)")
            #expect(try await pipeline.units().isEmpty)
            await pipeline.close()
        }
    }
}
