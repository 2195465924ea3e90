import Foundation
import KafkaWire
import TestSupport
import Testing

extension PipelineTests {
    /// The commands other than `run`, and options that several commands share.
    @Suite struct CommandTests {
        @Test func initChangesNothingIfEverythingExists() async throws {
            let pipeline = try await Pipeline.make()
            try await pipeline.send(units: 0..<10)
            #expect(try await pipeline.catchUp().status == 0)
            try await pipeline.sql("UPDATE plan SET units = units + 1; COMMENT ON VIEW tile_total IS 'mine'")
            let query = """
                SELECT c.oid::text, relname, relkind::text, relfilenode::text, coalesce(obj_description(c.oid), '')
                FROM pg_class c WHERE relnamespace = '"\(pipeline.schema)"'::regnamespace ORDER BY relname
                """
            let before = try await pipeline.table(query)
            let plan = try await pipeline.table("SELECT * FROM plan ORDER BY hour")
            #expect(before.count > 15)
            // Also several runs at once.
            try await withThrowingTaskGroup(of: ProgramResult.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await pipeline.consumer(["init"] + pipeline.databaseOptions) }
                }
                for try await result in group { #expect(result.status == 0, "\(result.err)") }
            }
            #expect(try await pipeline.table(query) == before)
            #expect(try await pipeline.table("SELECT * FROM plan ORDER BY hour") == plan)
            #expect(try await pipeline.tally() == Tally(0..<10))
        }

        @Test func initMayRunSeveralTimesAtOnce() async throws {
            let pipeline = try await Pipeline.make(isPrepared: false)
            try await withThrowingTaskGroup(of: ProgramResult.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await pipeline.consumer(["init"] + pipeline.databaseOptions) }
                }
                for try await result in group { #expect(result.status == 0, "\(result.err)") }
            }
            #expect(try await pipeline.number("SELECT count(*) FROM plan") == 9)
        }

        @Test func statusShowsHowFarEachPartitionIs() async throws {
            let pipeline = try await Pipeline.make(partitions: 2)
            let arguments = ["status"] + pipeline.clusterOptions + pipeline.databaseOptions
            func json() async throws -> [NSDictionary] {
                let result = try await pipeline.consumer(arguments + ["--json"])
                try #require(result.status == 0, "\(result.err)")
                return try #require(
                    try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [NSDictionary])
            }
            func entry(_ partition: Int, _ committed: Int?, _ end: Int, _ lag: Int) -> NSDictionary {
                [
                    "topic": pipeline.topic, "partition": partition, "committed": committed ?? NSNull(), "end": end,
                    "lag": lag, "reader": NSNull(),
                ]
            }
            try await pipeline.send(units: 0..<10)
            #expect(try await json() == [entry(0, nil, 5, 5), entry(1, nil, 5, 5)])
            #expect(try await pipeline.catchUp().status == 0)
            try await pipeline.send(units: 10..<13)
            #expect(try await json() == [entry(0, 5, 7, 2), entry(1, 5, 6, 1)])

            let lines = try await pipeline.consumer(arguments).out.split(separator: "\n").map {
                $0.split(separator: " ").map(String.init)
            }
            #expect(
                lines == [
                    ["TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "READER"],
                    [pipeline.topic, "0", "5", "7", "2", "-"], [pipeline.topic, "1", "5", "6", "1", "-"],
                ])
        }

        @Test func statusNamesTheReaderOfEachPartitionAndCanBeWatched() async throws {
            let pipeline = try await Pipeline.make(partitions: 4)
            let first = try await pipeline.startConsumer(["--workers", "2"])
            let second = try await pipeline.startConsumer(["--property", "client.id=second"])
            let arguments = ["status", "--json"] + pipeline.clusterOptions + pipeline.databaseOptions
            let watching = try await RunningProgram.start(
                try Repository.program("tfi-consumer"), arguments + ["--watch"])
            try await eventually("all three members have partitions") {
                let result = try await pipeline.consumer(arguments)
                let rows = try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [NSDictionary]
                let readers = try #require(rows).compactMap { $0["reader"] as? String }
                return readers.count == 4 && Set(readers) == ["tfi-consumer@127.0.0.1", "second@127.0.0.1"]
            }
            try await eventually("the watching one has printed this too") {
                try watching.output().split(separator: "\n").last?.contains("second@127.0.0.1") == true
            }
            try await endInOrder(watching)
            #expect(try watching.output().split(separator: "\n").count > 1)
            try await endInOrder(first, within: .seconds(8))
            try await endInOrder(second, within: .seconds(8))
        }

        @Test func consolePrintsEveryRecord() async throws {
            let pipeline = try await Pipeline.make(partitions: 2)
            try await pipeline.send(units: 0..<500)
            try await pipeline.send([
                ProducerRecord(
                    topic: pipeline.topic, partition: 1, key: nil, value: Array("a\tb\u{1b}[2J\n".utf8) + [0xff],
                    timestamp: KafkaTimestamp(millisecondsSince1970: 1_700_000_000_000)),
                ProducerRecord(
                    topic: pipeline.topic, partition: 1, key: [], value: nil,
                    timestamp: KafkaTimestamp(millisecondsSince1970: 1_700_000_000_001)),
            ])
            let result = try await pipeline.consumer(["console", "--until-caught-up"] + pipeline.clusterOptions)
            try #require(result.status == 0, "\(result.err)")
            let lines = result.out.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            #expect(lines.count == 502)
            let fields = lines.map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
            #expect(fields.allSatisfy { $0.count == 5 })
            for partition in ["0", "1"] {
                let offsets = fields.filter { $0[0] == partition }.compactMap { Int($0[1]) }
                #expect(offsets == Array(0..<offsets.count))
            }
            #expect(
                Set(lines).isSuperset(of: [
                    "1\t250\t1700000000000\t-\ta\\tb\\x1b[2J\\n\u{fffd}", "1\t251\t1700000000001\t\t-",
                ]))
            #expect(lines.contains { $0.contains("\tunit_collection_point\t{\"qls_unit_id\":499,") })
        }

        @Test func checkAndInferReadTheTopicAndCommitNothing() async throws {
            let pipeline = try await Pipeline.make(partitions: 3)
            try await pipeline.send(units: 0..<300)
            let check = try await pipeline.consumer(["check"] + pipeline.clusterOptions + pipeline.databaseOptions)
            #expect(
                check.out == """
                    \(pipeline.topic) → \(pipeline.schema).ucp: 300 records, 300 rows
                    \(pipeline.topic) → \(pipeline.schema).uc: 0 records, 0 rows

                    """, "\(check.err)")
            let infer = try await pipeline.consumer(
                ["infer", "--format", "sql", "--table", "plant.passage"] + pipeline.clusterOptions)
            #expect(
                infer.out == """
                    CREATE TABLE plant.passage (
                        qls_unit_id integer NOT NULL,
                        unit_collection_pt_timestamp timestamp NOT NULL,
                        collection_point_id integer NOT NULL,
                        zone_id integer NOT NULL
                    );

                    """, "\(infer.err)")
            #expect(try await pipeline.tally().rows == 0)
            #expect(try await pipeline.number("SELECT count(*) FROM kafka_offset") == 0)
        }

        @Test func groupsHaveOffsetsOfTheirOwn() async throws {
            let pipeline = try await Pipeline.make()
            try await pipeline.send(units: 0..<100)
            #expect(try await pipeline.catchUp().status == 0)
            #expect(try await pipeline.catchUp(["--group", "it's another"]).status == 0)
            #expect(try await pipeline.tally().rows == 200)
            #expect(try await pipeline.committed() == pipeline.committed(group: "it''s another"))
            #expect(try await pipeline.catchUp().status == 0)
            #expect(try await pipeline.tally().rows == 200)
        }

        @Test func aSchemaMayHaveAnyName() async throws {
            let name = "we\"ird 'Schema' $$ \\ é"
            _ = try await PostgresServer.shared().psql("DROP SCHEMA IF EXISTS \"we\"\"ird 'Schema' $$ \\ é\" CASCADE")
            let pipeline = try await Pipeline.make(schema: name)
            try await pipeline.send(units: 0..<100)
            try await pipeline.send([ProducerRecord(topic: pipeline.topic, key: nil, value: nil)])
            let result = try await pipeline.catchUp()
            #expect(result.status == 0, "\(result.err)")
            #expect(try await pipeline.tally() == Tally(0..<100))
            #expect(try await pipeline.number("SELECT units FROM tile_total") == 100)
            #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") == 1)
            let status = try await pipeline.consumer(["status"] + pipeline.clusterOptions + pipeline.databaseOptions)
            #expect(status.status == 0, "\(status.err)")
        }

        @Test func environmentVariablesReplaceOptions() async throws {
            let pipeline = try await Pipeline.make()
            try await pipeline.send(units: 0..<10)
            let environment = [
                "TFI_BOOTSTRAP_SERVERS": pipeline.kafka.bootstrap, "TFI_TOPIC": pipeline.topic,
                "TFI_DATABASE": pipeline.postgres.uri, "TFI_SCHEMA": pipeline.schema, "TFI_GROUP": "from-environment",
                "TFI_UNTIL_CAUGHT_UP": "true", "TFI_SUMMARY_JSON": "true",
            ]
            let result = try await pipeline.consumer(["run"], environment: environment)
            #expect(result.status == 0, "\(result.err)")
            #expect(result.out.hasPrefix("{\"records\":10,"))
            #expect(try await pipeline.committed(group: "from-environment").values.reduce(0, +) == 10)
            // The database is given by libpq's own variables.
            var libpq = environment
            libpq["TFI_DATABASE"] = nil
            libpq["PGHOST"] = "127.0.0.1"
            libpq["PGPORT"] = String(pipeline.postgres.port)
            libpq["PGUSER"] = "postgres"
            libpq["PGDATABASE"] = String(pipeline.postgres.uri.split(separator: "/").last ?? "")
            libpq["TFI_GROUP"] = "by-libpq"
            let second = try await pipeline.consumer(["run"], environment: libpq)
            #expect(second.status == 0, "\(second.err)")
            #expect(try await pipeline.tally().rows == 20)
        }

        /// At exec a program inherits its parent's peak memory from the system.
        @Test func thePeakOfMemoryIsTheRunsOwn() async throws {
            let pipeline = try await Pipeline.make()
            let script = #"x=$(head -c 150000000 /dev/zero | tr "\0" a); exec "$@""#
            let result = try await run(
                "bash",
                ["-c", script, "bash", try Repository.program("tfi-consumer"), "run", "--until-caught-up"]
                    + ["--summary-json"] + pipeline.clusterOptions + pipeline.databaseOptions)
            try #require(result.status == 0, "\(result.err)")
            let summary = try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: Any]
            #expect(try #require(summary?["max_rss_mb"] as? Double) < 100)
        }

        /// There is nothing to read at the start, so the run ends at once and stores its starting offsets.
        @Test func anEmptyTopicIsCaughtUpAtOnce() async throws {
            let pipeline = try await Pipeline.make()
            let result = try await pipeline.catchUp()
            #expect(result.status == 0, "\(result.err)")
            #expect(try await pipeline.committed() == [0: 0, 1: 0, 2: 0, 3: 0])
            let console = try await pipeline.consumer(["console", "--until-caught-up"] + pipeline.clusterOptions)
            #expect(console.status == 0)
            #expect(console.out.isEmpty)
        }

        @Test func aLoneRecordIsVisibleSoon() async throws {
            let pipeline = try await Pipeline.make()
            let consumer = try await pipeline.startConsumer()
            try await pipeline.send([pipeline.passage(0)])
            try await eventually("the first row") { try await pipeline.tally().rows == 1 }
            for unit in 1...5 {
                try await pipeline.send([pipeline.passage(unit)])
                // Far more than it takes, since other tests may keep the machine busy.
                try await eventually("the row of unit \(unit)", timeout: .seconds(1), every: .milliseconds(5)) {
                    try await pipeline.tally().rows == unit + 1
                }
            }
            try await endInOrder(consumer)
        }
    }
}
