import Foundation
import TestSupport
import Testing

extension PipelineTests {
    /// Rows are committed without waiting for the disk, but at its end a run waits for all of them.
    @Suite struct DurabilityTests {
        @Test("after a run has ended with 0, a crash of Postgres loses nothing", arguments: [true, false])
        func crashAfterTheEnd(endsBySignal: Bool) async throws {
            // The server itself writes commits to disk late, so that only the run's own wait can help.
            let postgres = try await PostgresServer.start(settings: ["wal_writer_delay": "10s"])
            let pipeline = try await Pipeline.make(postgres: postgres)
            try await pipeline.send(units: 0..<500)
            if endsBySignal {
                let consumer = try await pipeline.startConsumer()
                try await eventually("everything is committed") { try await pipeline.tally().rows == 500 }
                try await endInOrder(consumer)
            } else {
                #expect(try await pipeline.catchUp().status == 0)
            }
            try await postgres.kill()
            try await postgres.startAgain()
            #expect(try await pipeline.tally() == Tally(0..<500))
            let ends = try await pipeline.ends()
            #expect(try await pipeline.committed() == ends)
            try await postgres.shutDown()
        }

        @Test func aRunThatCannotMakeItsCommitsDurableFails() async throws {
            let postgres = try await PostgresServer.start()
            let pipeline = try await Pipeline.make(postgres: postgres)
            try await pipeline.send(units: 0..<500)
            let consumer = try await pipeline.startConsumer()
            try await eventually("everything is committed") { try await pipeline.tally().rows == 500 }
            try await postgres.kill()
            consumer.signal(SIGTERM)
            let result = try await consumer.result(timeout: .seconds(30))
            #expect(result.status == 69, "\(result.err)")
            #expect(result.err.contains("the database has not confirmed that they are on its disk"), "\(result.err)")
            try await postgres.startAgain()
            #expect(try await pipeline.catchUp().status == 0)
            #expect(try await pipeline.tally() == Tally(0..<500))
            try await postgres.shutDown()
        }
    }
}
