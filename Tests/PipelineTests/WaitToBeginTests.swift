import KafkaWire
import TestSupport
import Testing

extension DatabaseTests {
    /// A run that is started before its prerequisites exist.
    @Suite struct WaitToBeginTests {
        private static let arguments = ["--topic", "later", "--wait"]

        @Test func aRunWaitsForDatabaseTablesAndTopic() async throws {
            let postgres = try await PostgresServer.start()
            let pipeline = try await FakePipeline.make(postgres: postgres)
            try await postgres.stop()
            let run = try await pipeline.startConsumer(Self.arguments)
            func waits(for what: String) async throws {
                try await eventually("it waits for \(what)") {
                    guard run.isRunning else { throw ProgramError(try run.errors()) }
                    return try run.errors().split(separator: "\n").contains {
                        $0.contains(" warning waiting to begin: ") && $0.contains(what)
                    }
                }
            }
            try await waits(for: "refused")
            try await postgres.startAgain()
            try await waits(for: "later")
            pipeline.fake.createTopic("later", partitions: 1)
            try await pipeline.send([
                ProducerRecord(topic: "later", key: pipeline.passage(7).key, value: pipeline.passage(7).value)
            ])
            try await eventually("the row is there") { try await pipeline.units() == [7] }
            let result = try await endInOrder(run)
            #expect(result.err.contains(" info all prerequisites exist now: beginning\n"))
            await pipeline.close()
        }

        @Test func aRunWaitsForTheTableOfItsMapping() async throws {
            let pipeline = try await FakePipeline.make()
            pipeline.fake.createTopic("later", partitions: 1)
            let run = try await pipeline.startConsumer(Self.arguments + ["--table", "\(pipeline.schema).later"])
            try await eventually("it waits") {
                try run.errors().contains("waiting to begin: --table: there is no table")
            }
            try await pipeline.sql("CREATE TABLE later (n int)")
            try await pipeline.send([ProducerRecord(topic: "later", value: Array("{\"n\":3}".utf8))])
            try await eventually("the row is there") { try await pipeline.number("SELECT count(*) FROM later") == 1 }
            try await endInOrder(run)
            // A failure that would recur ends the run.
            let refused = try await pipeline.catchUp(
                Self.arguments, database: pipeline.postgres.uri.replacing("postgres@", with: "nobody@"))
            #expect(refused.status == 69, "\(refused.err)")
            await pipeline.close()
        }

        @Test func aSignalEndsTheWait() async throws {
            let pipeline = try await FakePipeline.make()
            let run = try await pipeline.startConsumer(Self.arguments)
            try await eventually("it waits") { try run.errors().contains("waiting to begin: ") }
            let result = try await endInOrder(run)
            #expect(result.err.contains("stopped while waiting"))
            await pipeline.close()
        }
    }
}
