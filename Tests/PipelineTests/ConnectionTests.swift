import Foundation
import KafkaFake
import KafkaWire
import PGWire
import Synchronization
import TestSupport
import Testing

extension DatabaseTests {
    /// Waits for the database: their reports, and how a signal ends them.
    @Suite struct ConnectionTests {
        /// Holds a lock until it is closed.
        private static func lock(_ pipeline: FakePipeline, _ statement: String) async throws -> PostgresConnection {
            let connection = try await PostgresConnection.connect(
                to: pipeline.postgres.uri, applicationName: "the other one")
            let name = try await connection.quoted(pipeline.schema)
            try await connection.execute("SET search_path = \(name); BEGIN; \(statement)")
            return connection
        }

        @Test func theHolderOfALockIsReported() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            let consumer = try await pipeline.startConsumer()
            try await eventually("the first rows") { try await pipeline.units().count == 10 }
            let other = try await Self.lock(pipeline, "SELECT FROM kafka_offset FOR UPDATE")
            try await pipeline.send((10..<20).map { pipeline.passage($0) })
            try await eventually("a line names the holder") {
                let errors = try consumer.errors()
                return errors.contains("a lock is held by the other one from 127.0.0.1, pid ")
                    && errors.contains("idle in transaction")
            }
            try await endInOrder(consumer, within: .seconds(8))
            await other.close()
            #expect(try await pipeline.catchUp().status == 0)
            #expect(try await pipeline.units() == Array(0..<20))
            await pipeline.close()
        }

        @Test(arguments: ["lock", "slow COPY", "stopped server"])
        func aSignalEndsABlockedRun(obstacle: String) async throws {
            let postgres = try await PostgresServer.start()
            let pipeline = try await FakePipeline.make(postgres: postgres)
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            let consumer = try await pipeline.startConsumer()
            try await eventually("the first rows") { try await pipeline.units().count == 10 }
            var other: PostgresConnection?
            var stopped: [Int32] = []
            switch obstacle {
            case "lock": other = try await Self.lock(pipeline, "LOCK TABLE ucp")
            case "slow COPY":
                try await pipeline.sql(
                    """
                    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN PERFORM pg_sleep(100); RETURN new; END $$;
                    CREATE TRIGGER slow BEFORE INSERT ON ucp FOR EACH ROW EXECUTE FUNCTION slow()
                    """)
            default:
                stopped = try await pipeline.sql("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
                    .compactMap { Int32($0[0]) }
                for pid in stopped { kill(pid, SIGSTOP) }
            }
            try await pipeline.send((10..<20).map { pipeline.passage($0) })
            if obstacle == "stopped server" {
                try await eventually("the log says what the run waits for") {
                    try consumer.errors().contains("it has not answered for")
                }
            } else {
                try await eventually("the run waits") {
                    try await pipeline.number(
                        """
                        SELECT count(*) FROM pg_stat_activity
                        WHERE application_name = 'tfi-consumer' AND state = 'active'
                            AND (query LIKE '%COPY%' OR query LIKE '%LOCK TABLE%')
                        """) > 0
                }
            }
            try await endInOrder(consumer, within: .seconds(8))
            for pid in stopped { kill(pid, SIGCONT) }
            await other?.close()
            if obstacle == "slow COPY" { try await pipeline.sql("DROP TRIGGER slow ON ucp") }
            let result = try await pipeline.catchUp()
            #expect(result.status == 0, "\(result.err)")
            #expect(try await pipeline.units() == Array(0..<20))
            await pipeline.close()
            try await postgres.shutDown()
        }

        /// Standard error is a full pipe that nothing reads.
        @Test func aSignalEndsARunWhoseStandardErrorBlocks() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            let script = """
                folder=$(mktemp -d); mkfifo "$folder/pipe"; exec 3<>"$folder/pipe"; rm -r "$folder"
                head -c 65536 /dev/zero >&3; exec "$@" 2>&3
                """
            let consumer = try await RunningProgram.start(
                "bash",
                [
                    "-c", script, "bash", try Repository.program("tfi-consumer"), "run", "--database",
                    pipeline.postgres.uri,
                ]
                    + pipeline.arguments)
            try await eventually("the rows") { try await pipeline.units().count == 10 }
            let asked = ContinuousClock.now
            consumer.signal(SIGTERM)
            let result = try await consumer.result(timeout: .seconds(30))
            #expect(result.status == 0)
            #expect(ContinuousClock.now - asked < .seconds(8))
            await pipeline.close()
        }

        /// A run leaves no settings behind: behind a pooler another client gets the session.
        @Test func theSettingsOfATransactionEndWithIt() async throws {
            let pipeline = try await FakePipeline.make()
            let names =
                "'synchronous_commit', 'tcp_keepalives_idle', 'tcp_user_timeout', 'idle_in_transaction_session_timeout'"
            let statement = """
                SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN (\(names))
                """
            try await pipeline.sql(
                """
                CREATE TABLE seen (settings text);
                CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN INSERT INTO seen \(statement); RETURN NULL; END $$;
                CREATE TRIGGER note AFTER INSERT ON ucp FOR EACH STATEMENT EXECUTE FUNCTION note();
                ALTER TABLE seen OWNER TO CURRENT_USER
                """.replacing("INSERT INTO seen", with: "INSERT INTO \"\(pipeline.schema)\".seen"))
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            #expect(try await pipeline.catchUp().status == 0)
            #expect(
                try await pipeline.sql("SELECT DISTINCT settings FROM seen") == [
                    [
                        "idle_in_transaction_session_timeout=25000 synchronous_commit=off tcp_keepalives_idle=5 "
                            + "tcp_user_timeout=15000"
                    ]
                ])
            let connection = try await PostgresConnection.connect(to: pipeline.postgres.uri)
            let before = try await connection.execute(statement).onlyRow[0]
            try await connection.transaction(
                prelude: "SET LOCAL synchronous_commit = off; SET LOCAL tcp_user_timeout = 15000"
            ) { session in _ = try session.execute("SELECT 1") }
            #expect(try await connection.execute(statement).onlyRow[0] == before)
            await connection.close()
            await pipeline.close()
        }

        /// A consumer that loses its network in mid-transaction, while the server waits for rows, is terminated after
        /// 30 s.
        @Test func aConsumerThatIsCutOffDoesNotBlockItsSuccessor() async throws {
            let pipeline = try await FakePipeline.make()
            let isFrozen = Mutex(false)
            let relay = try LoopbackRelay()
            @Sendable func pass(_ from: Int32, _ to: Int32) {
                var chunk = [UInt8](repeating: 0, count: 1 << 16)
                while let count = LoopbackRelay.read(from, &chunk) {
                    if isFrozen.withLock({ $0 }) { continue }
                    guard LoopbackRelay.write(to, chunk[..<count]) else { return }
                }
            }
            relay.start(
                to: pipeline.postgres.port,
                fromClient: { link in
                    pass(link.client, link.server)
                    link.cut()
                },
                fromServer: { link in
                    pass(link.server, link.client)
                    link.cut()
                })
            defer { relay.close() }
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            let uri = pipeline.postgres.uri.replacing(":\(pipeline.postgres.port)/", with: ":\(relay.port)/")
            let first = try await pipeline.startConsumer(["--standalone"], database: uri)
            try await eventually("the first rows") { try await pipeline.units().count == 10 }
            // It sleeps in its transaction, with the offsets locked, until the freeze begins.
            try await pipeline.sql(
                """
                CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
                CREATE TRIGGER pause AFTER UPDATE ON kafka_offset FOR EACH STATEMENT EXECUTE FUNCTION pause()
                """)
            try await pipeline.send((10..<20).map { pipeline.passage($0) })
            try await eventually("the consumer is in its transaction") {
                try await pipeline.number(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%kafka_offset%'"
                ) > 0
            }
            isFrozen.withLock { $0 = true }
            try await pipeline.sql(
                """
                CREATE OR REPLACE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$
                """)
            let begin = ContinuousClock.now
            let second = try await pipeline.catchUp(["--standalone"], timeout: .seconds(90))
            #expect(second.status == 0, "\(second.err)")
            #expect(ContinuousClock.now - begin < .seconds(60))
            #expect(try await pipeline.units() == Array(0..<20))
            first.signal(SIGKILL)
            _ = try await first.result()
            await pipeline.close()
        }
    }

    /// Servers that change their role or disappear, combined with errors of Kafka.
    @Suite struct FailoverTests {
        @Test func aServerThatHasBecomeReadOnlyIsReplaced() async throws {
            let (first, second) = (try await PostgresServer.start(), try await PostgresServer.start())
            let pipeline = try await FakePipeline.make(postgres: first)
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            let hosts = "postgresql://postgres@127.0.0.1:\(first.port),127.0.0.1:\(second.port)/workshop"
            let consumer = try await pipeline.startConsumer(database: hosts)
            try await eventually("the first rows") { try await pipeline.units().count == 10 }
            // The second server contains what a replica would contain.
            let prepared = try await run(
                try Repository.program("tfi-consumer"), ["init", "--database", second.uri, "--schema", pipeline.schema])
            #expect(prepared.status == 0)
            let table = "\"\(pipeline.schema)\".kafka_offset"
            let columns = "group_name, topic, partition, next_offset, topic_id, leader_epoch"
            let offsets = try await first.psql("COPY (SELECT \(columns) FROM \(table)) TO STDOUT")
            _ = try await second.psql(
                "COPY \(table) (\(columns)) FROM STDIN;\n" + offsets.joined(separator: "\n") + "\n\\.\n")
            _ = try await first.psql("ALTER SYSTEM SET default_transaction_read_only = on")
            _ = try await first.psql("SELECT pg_reload_conf()")
            try await pipeline.send((10..<20).map { pipeline.passage($0) })
            try await eventually("the rows are in the second server") {
                try await second.psql("SELECT count(*) FROM \"\(pipeline.schema)\".ucp") == ["10"]
            }
            #expect(try consumer.errors().contains("25006"))
            try await endInOrder(consumer, within: .seconds(8))
            await pipeline.close()
            try await first.shutDown()
            try await second.shutDown()
        }

        @Test func aLostDatabaseIsReportedWhileTheTopicIsIdle() async throws {
            let postgres = try await PostgresServer.start()
            let pipeline = try await FakePipeline.make(postgres: postgres)
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            let consumer = try await pipeline.startConsumer()
            try await eventually("the first rows") { try await pipeline.units().count == 10 }
            try await postgres.kill()
            try await eventually("the log reports the loss", timeout: .seconds(12)) {
                try consumer.errors().contains("waiting for the database")
            }
            try await postgres.startAgain()
            try await eventually("the log reports that the database is back", timeout: .seconds(20)) {
                try consumer.errors().contains("the database is back")
            }
            try await endInOrder(consumer, within: .seconds(8))
            await pipeline.close()
            try await postgres.shutDown()
        }

        /// Records that were read before a partition's error are committed before that error ends the run.
        @Test func readRecordsAreCommittedBeforeAKafkaErrorEndsTheRun() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            let printed = try await run(
                try Repository.program("tfi-consumer"), ["mapping", "--schema", pipeline.schema]
            ).out
            let folder = try TemporaryFolder()
            let mapping = folder.url.appending(path: "mapping.yaml")
            try "on_partition_error: stop\n\(printed)".write(to: mapping, atomically: true, encoding: .utf8)
            let consumer = try await pipeline.startConsumer(["--mapping", mapping.path])
            try await eventually("the first rows") { try await pipeline.units().count == 10 }
            let other = try await PostgresConnection.connect(to: pipeline.postgres.uri)
            let name = try await other.quoted(pipeline.schema)
            try await other.execute("BEGIN; LOCK TABLE \(name).ucp")
            try await pipeline.send((10..<20).map { pipeline.passage($0) })
            try await eventually("the run waits for the lock") {
                try await pipeline.number(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ucp'::regclass") == 1
            }
            pipeline.fake.inject(
                .error(.topicAuthorizationFailed), into: .fetch,
                partition: TopicPartition(topic: FakePipeline.topic, partition: 1), times: 1_000)
            // No event signals the read error: it ends the run, which the lock blocks.
            try await Task.sleep(for: .seconds(2))
            try await other.execute("COMMIT")
            await other.close()
            let result = try await consumer.result(timeout: .seconds(30))
            #expect(result.status != 0, "\(result.err)")
            #expect(result.err.contains("TFI"), "\(result.err)")
            #expect(try await pipeline.units() == Array(0..<20))
            await pipeline.close()
        }
    }

    /// Unusual states of the stored offsets, and the resulting errors.
    @Suite struct OffsetTests {
        @Test func deletedOffsetsEndTheRun() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            let consumer = try await pipeline.startConsumer()
            try await eventually("the first rows") { try await pipeline.units().count == 10 }
            try await pipeline.sql("DELETE FROM kafka_offset WHERE partition = 1")
            try await pipeline.send((10..<20).map { pipeline.passage($0) })
            let result = try await consumer.result(timeout: .seconds(30))
            #expect(result.status == 78, "\(result.err)")
            #expect(
                result.err.contains("the offset of group tfi-consumer for partition 1 of topic TFI was deleted"),
                "\(result.err)")
            await pipeline.close()
        }

        @Test func movedOffsetsAreReported() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            let consumer = try await pipeline.startConsumer(["--standalone"])
            try await eventually("the first rows") { try await pipeline.units().count == 10 }
            try await pipeline.sql("UPDATE kafka_offset SET next_offset = 7 WHERE partition = 1")
            try await pipeline.send((10..<20).map { pipeline.passage($0) })
            let result = try await consumer.result(timeout: .seconds(30))
            #expect(result.status == 75, "\(result.err)")
            #expect(
                result.err.contains("changed by hand; partition 1 is at 7, and this run expected 5"), "\(result.err)")
            await pipeline.close()
        }

        @Test func aNewGroupWithoutAnOffsetResetDoesNotBegin() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send((0..<10).map { pipeline.passage($0) })
            let result = try await pipeline.catchUp(["--property", "auto.offset.reset=none"])
            #expect(result.status == 78, "\(result.err)")
            #expect(result.err.contains("group tfi-consumer has no offsets for topic TFI"), "\(result.err)")
            #expect(try await pipeline.number("SELECT count(*) FROM kafka_offset") == 0)
            #expect(try await pipeline.catchUp().status == 0)
            #expect(try await pipeline.catchUp(["--property", "auto.offset.reset=none"]).status == 0)
            await pipeline.close()
        }

        @Test(arguments: [
            ("may not INSERT it", "ucp", "REVOKE INSERT ON ucp"),
            ("lacks the privilege UPDATE on", "kafka_offset", "REVOKE UPDATE ON kafka_offset"),
            ("lacks the privilege INSERT on", "dead_letter", "REVOKE INSERT ON dead_letter"),
        ])
        func missingPrivilegesAreNamed(lack: String, table: String, revocation: String) async throws {
            let pipeline = try await FakePipeline.make()
            let user = "limited_\(pipeline.schema)"
            try await pipeline.sql(
                """
                CREATE ROLE \(user) LOGIN; GRANT USAGE ON SCHEMA "\(pipeline.schema)" TO \(user);
                GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA "\(pipeline.schema)" TO \(user)
                """)
            let uri = pipeline.postgres.uri.replacing("postgres@", with: "\(user)@")
            #expect(try await pipeline.catchUp(database: uri).status == 0)
            try await pipeline.sql("\(revocation) FROM \(user)")
            let result = try await pipeline.catchUp(database: uri)
            #expect(result.status == 78, "\(result.err)")
            #expect(result.err.contains(lack), "\(result.err)")
            #expect(result.err.contains(table), "\(result.err)")
            await pipeline.close()
        }
    }
}
