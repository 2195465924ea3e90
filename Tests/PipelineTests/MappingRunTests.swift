import Foundation
import KafkaFake
import KafkaWire
import PGWire
import TestSupport
import Testing

extension DatabaseTests {
    /// `tfi-consumer run` with mappings other than the plant's.
    @Suite struct MappingRunTests {
        /// Runs a pipeline with further topics and tables, and a mapping file in which `SCHEMA` is the test's schema.
        private func withMapping(
            topics: [String], tables: String, _ mapping: String,
            _ body: (_ pipeline: FakePipeline, _ file: String) async throws -> Void
        ) async throws {
            let pipeline = try await FakePipeline.make()
            for topic in topics { pipeline.fake.createTopic(topic, partitions: 2) }
            try await pipeline.sql(tables)
            let file = FileManager.default.temporaryDirectory.appending(path: "\(pipeline.schema).yaml")
            try mapping.replacing("SCHEMA", with: pipeline.schema).write(to: file, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(at: file) }
            try await body(pipeline, file.path)
            await pipeline.close()
        }

        private func record(_ topic: String, _ value: String, partition: Int = 0, key: String? = nil) -> ProducerRecord
        {
            ProducerRecord(
                topic: topic, partition: Int32(partition), key: key.map { Array($0.utf8) }, value: Array(value.utf8))
        }

        /// The worker's wait might never end.
        @Test func aWaitingWorkerDoesNotKeepAFailedRunAlive() async throws {
            try await withMapping(
                topics: ["press"], tables: "CREATE TABLE press (id int)",
                "on_partition_error: stop\nroutes:\n  - { topic: press, table: SCHEMA.press }\n"
            ) { pipeline, file in
                try await pipeline.send((0..<20).map { record("press", "{\"id\":\($0)}", partition: 1) })
                try #require(try await pipeline.catchUp(["--mapping", file]).status == 0)
                let lock = try await PostgresConnection.connect(to: pipeline.postgres.uri)
                let schema = try await lock.quoted(pipeline.schema)
                try await lock.execute("BEGIN; LOCK TABLE \(schema).press IN SHARE MODE")
                let consumer = try await pipeline.startConsumer(["--mapping", file, "--workers", "2"])
                try await eventually("each worker has a partition") {
                    let members = pipeline.fake.members(ofGroup: "tfi-consumer") ?? []
                    return members.count == 2 && members.allSatisfy { $0.partitions.count == 1 }
                }
                try await pipeline.send([record("press", "{\"id\":20}")])
                try await eventually("a worker waits") {
                    try await pipeline.number(
                        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'press'::regclass") == 1
                }
                pipeline.fake.truncate(TopicPartition(topic: "press", partition: 1), to: 5)
                let result = try await consumer.result(timeout: .seconds(40))
                #expect(result.status == 78, "\(result.err)")
                #expect(result.err.contains("the run ends after committing what it has read"), "\(result.err)")
                await lock.close()
            }
        }

        @Test func twoTopicsBecomeTwoTables() async throws {
            try await withMapping(
                topics: ["press", "paint-1", "paint-2"],
                tables: "CREATE TABLE press (id int NOT NULL, force numeric); CREATE TABLE paint (id int, color text)",
                """
                routes:
                  - topic: press
                    table: SCHEMA.press
                    columns: { id: $.head.id, force: force }
                  - topic: paint-.*
                    table: SCHEMA.paint
                """
            ) { pipeline, file in
                try await pipeline.send(
                    (0..<100).map { record("press", "{\"head\":{\"id\":\($0)},\"force\":0.1}", partition: $0 % 2) })
                try await pipeline.send((0..<50).map { record("paint-1", "{\"id\":\($0),\"color\":\"red\"}") })
                try await pipeline.send([record("paint-2", "{\"id\":50}"), record("paint-2", "{\"id\":\"x\"}")])
                let result = try await pipeline.catchUp(["--mapping", file])
                try #require(result.status == 0, "\(result.err)")
                #expect(
                    try await pipeline.sql("SELECT count(DISTINCT id), sum(force) FROM press") == [["100", "10.0"]])
                #expect(
                    try await pipeline.sql("SELECT count(DISTINCT id), count(color) FROM paint") == [["51", "50"]])
                #expect(try await pipeline.sql("SELECT topic FROM dead_letter") == [["paint-2"]])
                #expect(
                    try await pipeline.sql(
                        "SELECT topic, sum(next_offset) FROM kafka_offset GROUP BY topic ORDER BY topic")
                        == [["paint-1", "50"], ["paint-2", "2"], ["press", "100"]])
                #expect(result.out.contains("\"rows\":{\"press\":100,\"paint\":51}"), "\(result.out)")
                // The next run resumes where this one ended.
                let again = try await pipeline.catchUp(["--mapping", file])
                #expect(again.out.contains("\"records\":0,"), "\(again.out)")
            }
        }

        /// Rows are distinguished by a column, dead letters and offsets by the topic. The totals count all of them.
        @Test func twoPlantsShareASchema() async throws {
            try await withMapping(
                topics: ["north", "south"],
                tables: "ALTER TABLE ucp ADD COLUMN plant text",
                """
                routes:
                  - topic: north|south
                    table: SCHEMA.ucp
                    columns:
                      plant: { record: topic }
                      qls_unit_id: qls_unit_id
                      unit_collection_pt_timestamp: unit_collection_pt_timestamp
                      collection_point_id: collection_point_id
                      zone_id: zone_id
                """
            ) { pipeline, file in
                func passages(of plant: String, _ ids: Range<Int>) -> [ProducerRecord] {
                    ids.map { id in
                        var record = pipeline.passage(id)
                        record.topic = plant
                        return record
                    }
                }
                try await pipeline.send(passages(of: "north", 0..<100) + passages(of: "south", 0..<40))
                try await pipeline.send([record("south", "{}")])
                // One process per plant, at the same time, in the same group.
                let folder = try TemporaryFolder()
                let mapping = try String(contentsOfFile: file, encoding: .utf8)
                var consumers: [RunningProgram] = []
                for plant in ["north", "south"] {
                    let own = folder.url.appending(path: "\(plant).yaml")
                    try mapping.replacing("north|south", with: plant).write(
                        to: own, atomically: true, encoding: .utf8)
                    consumers.append(try await pipeline.startConsumer(["--mapping", own.path]))
                }
                try await eventually("all rows") { try await pipeline.number("SELECT count(*) FROM ucp") == 140 }
                for consumer in consumers { try await endInOrder(consumer, within: .seconds(8)) }
                #expect(
                    try await pipeline.sql(
                        "SELECT plant, count(DISTINCT qls_unit_id), count(*) FROM ucp GROUP BY plant ORDER BY plant")
                        == [["north", "100", "100"], ["south", "40", "40"]])
                #expect(try await pipeline.sql("SELECT topic FROM dead_letter") == [["south"]])
                let status = try await run(
                    try Repository.program("tfi-consumer"),
                    ["status", "--json", "--mapping", file, "--database", pipeline.postgres.uri] + pipeline.arguments)
                try #require(status.status == 0, "\(status.err)")
                let rows = try #require(
                    try JSONSerialization.jsonObject(with: Data(status.out.utf8)) as? [[String: Any]])
                #expect(rows.map { $0["topic"] as? String } == ["north", "north", "south", "south"])
                #expect(rows.map { $0["lag"] as? Int } == [0, 0, 0, 0])
                // One process for both topics resumes at their offsets.
                try await pipeline.send(passages(of: "south", 40..<50) + passages(of: "north", 100..<101))
                let result = try await pipeline.catchUp(["--mapping", file])
                #expect(result.out.contains("\"records\":11,"), "\(result.out) \(result.err)")
            }
        }

        /// One topic was recreated and another one is missing: the third one is read, and an error names the recreated
        /// one.
        @Test(arguments: [["--standalone"], []])
        func unreadableTopicsDoNotBlockTheOthers(options: [String]) async throws {
            try await withMapping(
                topics: ["paint", "press"], tables: "CREATE TABLE item (id int)",
                ["paint", "press", "weld"].reduce("routes:\n") {
                    $0 + "  - topic: \($1)\n    table: SCHEMA.item\n"
                }
            ) { pipeline, file in
                try await pipeline.send([record("paint", "{\"id\":1}"), record("press", "{\"id\":2}")])
                let first = try await pipeline.catchUp(["--mapping", file] + options)
                #expect(first.status == 0, "\(first.err)")
                #expect(first.err.contains("topic weld is not read"), "\(first.err)")
                pipeline.fake.deleteTopic("press")
                pipeline.fake.createTopic("press", partitions: 2)
                try await pipeline.send([record("paint", "{\"id\":3}"), record("press", "{\"id\":4}")])
                let second = try await pipeline.catchUp(["--mapping", file] + options, timeout: .seconds(30))
                #expect(second.status == 78, "\(second.err)")
                #expect(second.err.contains("topic press was deleted and recreated"), "\(second.err)")
                #expect(try await pipeline.sql("SELECT id FROM item ORDER BY id") == [["1"], ["2"], ["3"]])
            }
        }

        @Test func statusShowsReadableTopicsAndReportsTheOthers() async throws {
            try await withMapping(
                topics: ["paint-1"], tables: "CREATE TABLE paint (id int)",
                """
                routes:
                  - topic: paint-.*
                    table: SCHEMA.paint
                  - topic: press
                    table: SCHEMA.paint
                """
            ) { pipeline, file in
                let arguments =
                    ["status", "--mapping", file, "--database", pipeline.postgres.uri] + pipeline.arguments
                let status = try await run(try Repository.program("tfi-consumer"), arguments)
                #expect(status.status == 78 && status.out.contains("paint-1"), "\(status.out)")
                #expect(status.err.contains("press"), "\(status.err)")
            }
        }

        /// Also if a new group starts at the end of its topics: all messages of the new topic arrived during the run.
        @Test(arguments: ["earliest", "latest"])
        func aNewTopicThatMatchesIsReadWhileRunning(reset: String) async throws {
            try await withMapping(
                topics: ["paint-1"], tables: "CREATE TABLE paint (id int)",
                "routes:\n  - topic: paint-.*\n    table: SCHEMA.paint\n"
            ) { pipeline, file in
                let consumer = try await pipeline.startConsumer(
                    [
                        "--mapping", file, "--property", "metadata.max.age.ms=200",
                        "--property", "auto.offset.reset=\(reset)",
                    ])
                try await eventually("the run begins") {
                    try await pipeline.number("SELECT count(*) FROM kafka_offset") == 2
                }
                try await pipeline.send([record("paint-1", "{\"id\":1}")])
                try await eventually("the first row") { try await pipeline.number("SELECT count(*) FROM paint") == 1 }
                pipeline.fake.createTopic("paint-2", partitions: 2)
                try await pipeline.send([record("paint-2", "{\"id\":2}"), record("paint-1", "{\"id\":3}")])
                try await eventually("all rows") { try await pipeline.number("SELECT count(*) FROM paint") == 3 }
                try await endInOrder(consumer, within: .seconds(8))
            }
        }

        /// A binary COPY doesn't name types: without a check, `real` would store the bits of an integer.
        @Test(arguments: ["real", "bigint", "text", "numeric"])
        func aColumnCanChangeItsTypeWhileRunning(type: String) async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send((0..<100).map { pipeline.passage($0) })
            // Views fix the types of their columns.
            try await pipeline.sql("DROP VIEW tile_units_per_zone, unit_totals")
            let consumer = try await pipeline.startConsumer()
            try await eventually("the first rows") { try await pipeline.units().count == 100 }
            try await pipeline.sql("ALTER TABLE ucp ALTER COLUMN zone_id TYPE \(type) USING zone_id::\(type)")
            try await pipeline.send((100..<1_100).map { pipeline.passage($0) })
            try await eventually("all rows") { try await pipeline.units().count == 1_100 }
            #expect(try await pipeline.sql("SELECT DISTINCT zone_id::text FROM ucp") == [["7"]])
            #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") == 0)
            #expect(try consumer.errors().contains("a table has changed"))
            try await endInOrder(consumer, within: .seconds(8))
            await pipeline.close()
        }

        /// If a partition's offset is deleted, its messages would be read from the beginning again.
        @Test func anOffsetThatIsDeletedWhileRunningIsNotAddedAgain() async throws {
            let pipeline = try await FakePipeline.make()
            try await pipeline.send((0..<100).map { pipeline.passage($0) })
            let consumer = try await pipeline.startConsumer()
            try await eventually("the first rows") { try await pipeline.units().count == 100 }
            try await pipeline.sql(
                "DELETE FROM kafka_offset WHERE partition = 0; ALTER TABLE ucp ADD COLUMN note text")
            try await pipeline.send([pipeline.passage(101)])
            let result = try await consumer.result(timeout: .seconds(20))
            #expect(result.status == 78, "\(result.err)")
            #expect(result.err.contains("for partition 0 of topic TFI was deleted"), "\(result.err)")
            #expect(try await pipeline.units() == Array(0..<100))
            await pipeline.close()
        }

        /// Intervals and dates in unusual forms are parsed by the server.
        @Test func rowsInFormsThatOnlyTheDatabaseReadsAreExact() async throws {
            try await withMapping(
                topics: ["press"],
                tables: "CREATE TABLE press (id int NOT NULL CHECK (id <> 13), at timestamp, took interval)",
                "routes:\n  - topic: press\n    table: SCHEMA.press\n"
            ) { pipeline, file in
                var records = (0..<200).map { id in
                    record(
                        "press",
                        id % 2 == 0
                            ? "{\"id\":\(id),\"at\":\"Mar 3 2024\",\"took\":\"1 day 02:00\"}"
                            : "{\"id\":\(id),\"at\":\"2024-03-03\"}")
                }
                records[10] = record("press", "{\"id\":13,\"took\":\"1 day\"}")
                records[20] = record("press", "{\"id\":20,\"took\":\"1 dog\"}")
                try await pipeline.send(records)
                let result = try await pipeline.catchUp(["--mapping", file])
                try #require(result.status == 0, "\(result.err)")
                // Number 13 also occurs as a row of the COPY.
                #expect(
                    try await pipeline.sql(
                        "SELECT count(*), count(took), count(DISTINCT at), min(at) FROM press")
                        == [["197", "98", "1", "2024-03-03 00:00:00"]])
                let reasons = try await pipeline.sql("SELECT \"offset\", reason FROM dead_letter ORDER BY 1")
                #expect(reasons.map { $0[0] } == ["10", "13", "20"])
                #expect(reasons.last?[1].contains("invalid input syntax for type interval") == true, "\(reasons)")
                #expect(result.out.contains("\"rows\":{\"press\":197}"), "\(result.out)")
            }
        }

        /// A trigger or a default of another table may depend on the settings.
        @Test(arguments: [0, 13])
        func theSettingsForSuchRowsDoNotStayInForce(refused: Int) async throws {
            try await withMapping(
                topics: ["press", "paint"],
                tables: """
                    CREATE TABLE press (id int CHECK (id <> 13), took interval);
                    CREATE TABLE paint (id int, style text DEFAULT current_setting('IntervalStyle'))
                    """,
                "routes: [{ topic: press, table: SCHEMA.press }, { topic: paint, table: SCHEMA.paint }]"
            ) { pipeline, file in
                try await pipeline.send(
                    [refused, 14].map { record("press", "{\"id\":\($0),\"took\":\"1 day\"}") }
                        + (0..<10).map { record("paint", "{\"id\":\($0)}") })
                let result = try await pipeline.catchUp(
                    ["--mapping", file], database: pipeline.postgres.uri + "?options=-c%20IntervalStyle%3Diso_8601")
                try #require(result.status == 0, "\(result.err)")
                #expect(try await pipeline.number("SELECT count(*) FROM press") == (refused == 13 ? 1 : 2))
                #expect(
                    try await pipeline.sql("SELECT style, count(*) FROM paint GROUP BY 1") == [["iso_8601", "10"]])
            }
        }

        @Test func mistakesInTheMappingEndTheRun() async throws {
            try await withMapping(
                topics: ["press"], tables: "CREATE TABLE press (id int)",
                "routes:\n  - topic: press\n    table: SCHEMA.press\n    colums: { id: id }\n"
            ) { pipeline, file in
                let word = try await pipeline.catchUp(["--mapping", file])
                #expect(word.status == 65 && word.err.contains(":4: "), "\(word.err)")
                #expect(word.err.contains("did you mean \"columns\"?"), "\(word.err)")
                try "routes:\n  - topic: press\n    table: \(pipeline.schema).press\n    columns: { ident: id }\n"
                    .write(toFile: file, atomically: true, encoding: .utf8)
                let column = try await pipeline.catchUp(["--mapping", file])
                #expect(column.status == 78 && column.err.contains("has no column \"ident\""), "\(column.err)")
                try "routes:\n  - topic: press\n    table: \(pipeline.schema).press\n    mode: upsert\n    key: id\n"
                    .write(toFile: file, atomically: true, encoding: .utf8)
                let mode = try await pipeline.catchUp(["--mapping", file])
                #expect(
                    mode.status == 78 && mode.err.contains("needs a unique index on exactly (\"id\")"), "\(mode.err)")
            }
        }

        @Test func aTableCanBeNamedWithoutAFile() async throws {
            let pipeline = try await FakePipeline.make()
            pipeline.fake.createTopic("press", partitions: 1)
            try await pipeline.sql("CREATE TABLE press (id int)")
            try await pipeline.send([record("press", "{\"id\":1,\"other\":2}")])
            let table = ["--topic", "press", "--table", "\(pipeline.schema).press"]
            let result = try await pipeline.catchUp(table)
            #expect(result.status == 0 && result.out.contains("\"rows\":{\"press\":1}"), "\(result.err) \(result.out)")
            await pipeline.close()
        }

        @Test func theProgramsOwnTablesCanBeCreatedSeparately() async throws {
            let pipeline = try await FakePipeline.make()
            pipeline.fake.createTopic("press", partitions: 1)
            try await pipeline.sql(
                "CREATE TABLE press (id int); DROP TABLE kafka_offset, dead_letter CASCADE; DROP TABLE uc CASCADE")
            try await pipeline.send([record("press", "{\"id\":1}"), record("press", "{")])
            let table = ["--topic", "press", "--table", "\(pipeline.schema).press"]
            let missing = try await pipeline.catchUp(table)
            #expect(missing.status == 78 && missing.err.contains("init --offsets-only"), "\(missing.err)")
            for _ in 0..<2 {
                let made = try await run(
                    try Repository.program("tfi-consumer"),
                    ["init", "--offsets-only", "--database", pipeline.postgres.uri, "--schema", pipeline.schema])
                #expect(made.status == 0, "\(made.err)")
            }
            let result = try await pipeline.catchUp(table)
            #expect(result.status == 0 && result.out.contains("\"dead_letters\":1,"), "\(result.err) \(result.out)")
            await pipeline.close()
        }
    }
}
