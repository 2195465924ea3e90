import Foundation
import TestSupport
import Testing

extension PipelineTests {
    /// Servers that disappear during a run and come back.
    @Suite struct ServerLossTests {
        @Test func aCrashOfPostgresLosesAndDuplicatesNothing() async throws {
            let postgres = try await PostgresServer.start()
            let pipeline = try await Pipeline.make(postgres: postgres)
            let consumer = try await pipeline.startConsumer()
            for round in 0..<4 {
                let units = round * 25_000..<(round + 1) * 25_000
                let producing = Task { try await pipeline.send(units: units.dropLast(1_000), waves: 20) }
                try await eventually("rows are committed") {
                    try await pipeline.tally().rows > units.lowerBound + 2_000
                }
                // The last one is an orderly restart.
                if round < 3 { try await postgres.kill() } else { try await postgres.stop() }
                try await producing.value
                // These, at the latest, are sent while the database is down.
                try await pipeline.send(units: units.suffix(1_000))
                try await eventually("the log reports the lost database") {
                    try consumer.errors().components(separatedBy: "waiting for the database").count > round + 1
                }
                try await postgres.startAgain()
            }
            let ends = try await pipeline.ends()
            try await eventually("everything is committed", timeout: .seconds(60)) {
                guard consumer.isRunning else { throw ProgramError(try consumer.errors()) }
                return try await pipeline.committed() == ends
            }
            let result = try await endInOrder(consumer)
            #expect(result.err.contains("the database is back: continuing"))
            #expect(try await pipeline.tally() == Tally(0..<100_000))
        }

        /// The effect of a crash of a server with `synchronous_commit = off`: the last commits are lost, including
        /// their offsets.
        @Test func lostRowsAreReadAgain() async throws {
            let pipeline = try await Pipeline.make()
            try await pipeline.send(units: 0..<500)
            let consumer = try await pipeline.startConsumer()
            try await eventually("everything is committed") { try await pipeline.tally().rows == 500 }
            // One partition keeps its offset, one has lost some rows, and the others have lost all.
            try await pipeline.sql(
                """
                BEGIN;
                DELETE FROM ucp WHERE qls_unit_id % 4 > 1 OR qls_unit_id % 4 = 1 AND qls_unit_id >= 201;
                UPDATE kafka_offset SET next_offset = CASE partition WHEN 0 THEN 125 WHEN 1 THEN 50 ELSE 0 END;
                COMMIT
                """)
            try await pipeline.send(units: 500..<600)
            let ends = try await pipeline.ends()
            try await eventually("everything is committed again") { try await pipeline.committed() == ends }
            #expect(try await pipeline.tally() == Tally(0..<600))
            // The loss is also detected without another message.
            try await pipeline.sql("BEGIN; TRUNCATE ucp; UPDATE kafka_offset SET next_offset = 0; COMMIT")
            try await eventually("everything is committed again") { try await pipeline.committed() == ends }
            #expect(try await pipeline.tally() == Tally(0..<600))
            #expect(try consumer.errors().contains("the database has lost its last commits"))
            try await endInOrder(consumer)
        }

        @Test func aSignalEndsTheWaitForADatabase() async throws {
            let postgres = try await PostgresServer.start()
            let pipeline = try await Pipeline.make(postgres: postgres)
            let consumer = try await pipeline.startConsumer()
            try await pipeline.send(units: 0..<100)
            try await eventually("rows are committed") { try await pipeline.tally().rows == 100 }
            try await postgres.kill()
            try await pipeline.send(units: 100..<200)
            try await eventually("the log reports the lost database") {
                try consumer.errors().contains("waiting for the database")
            }
            try await endInOrder(consumer, by: SIGINT)
            try await postgres.startAgain()
            #expect(try await pipeline.catchUp().status == 0)
            #expect(try await pipeline.tally() == Tally(0..<200))
        }

        @Test func aKilledBrokerIsAwaited() async throws {
            guard let home = KafkaHome.newest else { return }
            // A restarted broker must wait until the controller has removed the killed one.
            let kafka = try await KafkaCluster.start(home, settings: ["broker.session.timeout.ms": "2000"])
            let pipeline = try await Pipeline.make(kafka: kafka)
            let consumer = try await pipeline.startConsumer()
            for round in 0..<2 {
                try await pipeline.send(units: round * 20_000..<(round + 1) * 20_000)
                // First during a backlog, then after everything was read.
                if round == 1 {
                    let ends = try await pipeline.ends()
                    try await eventually("everything is committed") { try await pipeline.committed() == ends }
                }
                try await kafka.kill(1)
                try await eventually("the log reports the lost broker") {
                    try consumer.errors().components(separatedBy: "waiting for broker").count > round + 1
                }
                try await kafka.start(1)
            }
            try await pipeline.send(units: 40_000..<41_000)
            let ends = try await pipeline.ends()
            try await eventually("everything is committed") { try await pipeline.committed() == ends }
            #expect(try await pipeline.tally() == Tally(0..<41_000))
            // A signal ends the run also while the broker is down.
            try await kafka.kill(1)
            try await endInOrder(consumer)
        }
    }
}
