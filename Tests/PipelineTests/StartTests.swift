import Foundation
import KafkaWire
import PGWire
import TestSupport
import Testing

extension PipelineTests {
    /// The checks before a run starts, and their reports.
    @Suite struct StartTests {
        /// The state that a run must leave unchanged if it refuses to start.
        private static func state(_ pipeline: Pipeline) async throws -> [[String]] {
            try await pipeline.table(
                """
                SELECT 'rows', count(*)::text, '', '' FROM ucp UNION ALL
                SELECT 'letters', count(*)::text, '', '' FROM dead_letter UNION ALL
                SELECT group_name, partition::text, next_offset::text, topic_id FROM kafka_offset ORDER BY 1, 2
                """)
        }

        private static func expectRefusal(
            _ pipeline: Pipeline, saying sentence: String, _ location: SourceLocation = #_sourceLocation
        ) async throws {
            let before = try await state(pipeline)
            let result = try await pipeline.catchUp(timeout: .seconds(20))
            #expect(result.status == 78, "\(result.err)", sourceLocation: location)
            #expect(result.err.contains(sentence), "\(result.err)", sourceLocation: location)
            #expect(result.err.split(separator: "\n").count <= 2, "\(result.err)", sourceLocation: location)
            #expect(try await state(pipeline) == before, sourceLocation: location)
        }

        @Test func aRecreatedTopicIsRefused() async throws {
            let pipeline = try await Pipeline.make(partitions: 2)
            try await pipeline.send(units: 0..<100)
            #expect(try await pipeline.catchUp().status == 0)
            try await Self.makeAgain(pipeline, partitions: 3)
            try await pipeline.send(units: 100..<400)
            try await Self.expectRefusal(pipeline, saying: "topic \(pipeline.topic) was deleted and recreated")
            // The same with fewer partitions.
            try await Self.makeAgain(pipeline, partitions: 1)
            try await Self.expectRefusal(pipeline, saying: "topic \(pipeline.topic) was deleted and recreated")
            // A new group reads it.
            let result = try await pipeline.catchUp(["--group", "another"])
            #expect(result.status == 0, "\(result.err)")
        }

        @Test func aTopicRecreatedDuringAStandaloneRunEndsIt() async throws {
            let pipeline = try await Pipeline.make(partitions: 2)
            try await pipeline.send(units: 0..<100)
            let consumer = try await pipeline.startConsumer(["--standalone"])
            try await eventually("everything is committed") { try await pipeline.tally().rows == 100 }
            try await Self.makeAgain(pipeline, partitions: 2)
            try await pipeline.send(units: 100..<200)
            let result = try await consumer.result(timeout: .seconds(30))
            #expect(result.status == 78, "\(result.err)")
            #expect(result.err.contains(pipeline.topic))
            #expect(try await pipeline.tally() == Tally(0..<100))
        }

        @Test func aTopicRecreatedWhileTheRunStartsIsNotRead() async throws {
            let pipeline = try await Pipeline.make(partitions: 2)
            try await pipeline.send(units: 0..<100)
            #expect(try await pipeline.catchUp().status == 0)
            // The run knows the topic and waits for its offsets.
            let lock = try await PostgresConnection.connect(to: pipeline.postgres.uri)
            let schema = try await lock.quoted(pipeline.schema)
            try await lock.execute("SET search_path = \(schema); BEGIN; LOCK TABLE kafka_offset")
            let consumer = try await pipeline.startConsumer(["--standalone"])
            try await eventually("the run waits") {
                let waiting = try await lock.query(
                    "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'kafka_offset'::regclass")
                return !waiting.rows.isEmpty
            }
            try await Self.makeAgain(pipeline, partitions: 2)
            try await pipeline.send(units: 100..<500)
            try await lock.execute("COMMIT")
            await lock.close()
            let result = try await consumer.result(timeout: .seconds(40))
            #expect(result.status == 78, "\(result.err)")
            #expect(try await pipeline.tally() == Tally(0..<100))
            let status = try await pipeline.consumer(["status"] + pipeline.clusterOptions + pipeline.databaseOptions)
            #expect(status.status == 78, "\(status.err)")
            #expect(status.err.contains("was deleted and created again"), "\(status.err)")
        }

        /// The ends of the logs are looked up before the offsets, so they may be older.
        @Test func anotherConsumerMayAdvanceWhileTheRunStarts() async throws {
            let pipeline = try await Pipeline.make(partitions: 1)
            try await pipeline.send(units: 0..<100)
            #expect(try await pipeline.catchUp().status == 0)
            let lock = try await PostgresConnection.connect(to: pipeline.postgres.uri)
            let schema = try await lock.quoted(pipeline.schema)
            try await lock.execute("SET search_path = \(schema); BEGIN; LOCK TABLE kafka_offset")
            let consumer = try await pipeline.startConsumer()
            try await eventually("the run waits") {
                let waiting = try await lock.query(
                    "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'kafka_offset'::regclass")
                return !waiting.rows.isEmpty
            }
            try await pipeline.send(units: 100..<150)
            try await lock.execute("UPDATE kafka_offset SET next_offset = 150; COMMIT")
            await lock.close()
            try await pipeline.send(units: 150..<200)
            try await eventually("the run continues there") { try await pipeline.tally().rows == 150 }
            try await endInOrder(consumer)
        }

        private static func makeAgain(_ pipeline: Pipeline, partitions: Int32) async throws {
            try await pipeline.client.admin.deleteTopic(pipeline.topic)
            try await eventually("the topic is recreated") {
                do {
                    try await pipeline.client.admin.createTopic(pipeline.topic, partitions: partitions)
                    return true
                } catch let error as KafkaError where error.code == .topicAlreadyExists {
                    return false
                }
            }
        }

        @Test func anOffsetThatTheLogDoesNotHaveIsRefused() async throws {
            let pipeline = try await Pipeline.make(partitions: 1)
            try await pipeline.send(units: 0..<100)
            #expect(try await pipeline.catchUp().status == 0)
            try await pipeline.sql("UPDATE kafka_offset SET next_offset = 101")
            try await Self.expectRefusal(pipeline, saying: "ends at offset 100, before offset 101")
            // Messages that were deleted before they were read.
            try await pipeline.sql("UPDATE kafka_offset SET next_offset = 40")
            try await Self.deleteRecords(pipeline, before: 60)
            try await Self.expectRefusal(pipeline, saying: "20 messages were deleted before they were read")
            try await pipeline.sql("UPDATE kafka_offset SET next_offset = 60")
            let result = try await pipeline.catchUp()
            #expect(result.status == 0, "\(result.err)")
            #expect(try await pipeline.tally().rows == 140)
        }

        private static func deleteRecords(_ pipeline: Pipeline, before offset: Int64) async throws {
            let folder = try TemporaryFolder()
            let file = folder.url.appending(path: "offsets.json")
            let json = """
                {"version": 1, "partitions": [{"topic": "\(pipeline.topic)", "partition": 0, "offset": \(offset)}]}
                """
            try Data(json.utf8).write(to: file)
            let result = try await pipeline.kafka.tool(
                "org.apache.kafka.tools.DeleteRecordsCommand",
                ["--bootstrap-server", pipeline.kafka.bootstrap, "--offset-json-file", file.path])
            try #require(result.status == 0, "\(result.out)\(result.err)")
        }

        @Test func missingThingsAreReported() async throws {
            let pipeline = try await Pipeline.make(isPrepared: false)
            let tables = try await pipeline.catchUp()
            #expect(tables.status == 78)
            #expect(tables.err.contains("run 'tfi-consumer init'"), "\(tables.err)")
            let status = try await pipeline.consumer(["status"] + pipeline.clusterOptions + pipeline.databaseOptions)
            #expect(status.status == 78)
            #expect(status.err.contains("run 'tfi-consumer init'"), "\(status.err)")
            try await pipeline.prepare()
            try await pipeline.sql("DROP TABLE dead_letter CASCADE")
            let table = try await pipeline.catchUp()
            #expect(table.status == 78)
            #expect(table.err.contains("lacks dead_letter"), "\(table.err)")
            try await pipeline.prepare()

            for command in ["run", "console", "status"] {
                let database = command == "console" ? [] : pipeline.databaseOptions
                let result = try await pipeline.consumer(
                    [command, "--bootstrap-servers", pipeline.kafka.bootstrap, "--topic", "no-such-topic"] + database)
                #expect(result.status == 78, "\(result.err)")
                #expect(result.err.contains("the topic no-such-topic does not exist"), "\(result.err)")
            }
        }

        @Test func unreachableServersAreReportedSoon() async throws {
            let pipeline = try await Pipeline.make()
            let nobody = try freePort()
            let secret = "s3cret-of-nobody"
            let databases = [
                "postgresql://postgres:\(secret)@127.0.0.1:\(nobody)/x": 69,
                "postgresql://postgres:\(secret)@127.0.0.1:\(pipeline.postgres.port)/no_such_database": 69,
                "postgresql://nobody:\(secret)@127.0.0.1:\(pipeline.postgres.port)/postgres": 69,
                "postgresql://postgres:\(secret)@127.0.0.1:port/x": 64,
                "postgresql://postgres:\(secret)@[127.0.0.1/x": 64,
                "postgresql://postgres:\(secret)@127.0.0.1/x?no_such_option=1": 64,
                "host=127.0.0.1 password=\(secret) nonsense": 64,
            ]
            for (database, status) in databases {
                for command in ["run", "init", "status"] {
                    let cluster = command == "init" ? [] : pipeline.clusterOptions
                    let begin = ContinuousClock.now
                    let result = try await pipeline.consumer([command, "--database", database] + cluster)
                    #expect(result.status == status, "\(command) \(database): \(result.err)")
                    #expect(ContinuousClock.now - begin < .seconds(15))
                    #expect(!(result.err + result.out).contains(secret), "\(result.err)")
                    #expect(result.err.split(separator: "\n").count <= 2, "\(result.err)")
                }
            }
            let begin = ContinuousClock.now
            try await withThrowingTaskGroup(of: ProgramResult.self) { group in
                for command in ["run", "console", "status"] {
                    let database = command == "console" ? [] : pipeline.databaseOptions
                    group.addTask {
                        try await pipeline.consumer(
                            [command, "--bootstrap-servers", "127.0.0.1:\(nobody)"] + database)
                    }
                }
                for try await result in group {
                    #expect(result.status == 69, "\(result.err)")
                    #expect(result.err.contains("127.0.0.1:\(nobody)"), "\(result.err)")
                }
            }
            #expect(ContinuousClock.now - begin < .seconds(15))
        }

        @Test(arguments: [
            ["run", "--no-such-option"], ["run", "--bootstrap-servers", "nowhere"], ["fly"], ["run", "--topic", ""],
            ["run", "--property", "fetch.max.bytes=x"],
            ["run", "--schema", String(repeating: "s", count: 64)],
            ["init", "--schema", String(repeating: "é", count: 32)],
            ["run", "--topic", "a/b"], ["run", "--topic", ".."], ["status", "--property", "no.such.name=1"],
        ])
        func wrongUseEndsWith64(arguments: [String]) async throws {
            let result = try await run(try Repository.program("tfi-consumer"), arguments)
            #expect(result.status == 64, "\(result.err)")
            #expect(result.out.isEmpty)
        }
    }
}
