import Foundation
import TestSupport
import Testing

extension PipelineTests {
    /// Commits with an unknown outcome, and writers that conflict.
    @Suite struct WriterTests {
        /// Every other COMMIT is cut off, in three ways in turn.
        @Test func aCommitWithoutAnAnswerIsNeitherLostNorDuplicated() async throws {
            let pipeline = try await Pipeline.make()
            let proxy = try DatabaseProxy(to: pipeline.postgres.port) { number in
                // The first ones belong to the start, which isn't retried.
                guard number > 5, number % 2 == 0 else { return .forward }
                return [.cutBefore, .cutAfter, .cutAfterLate][number / 2 % 3]
            }
            proxy.start()
            defer { proxy.close() }
            let address = pipeline.postgres.uri.replacing(":\(pipeline.postgres.port)", with: ":\(proxy.port)")
            let consumer = try await pipeline.startConsumer(database: address)
            let units = 0..<4_000
            try await pipeline.send(units: units, waves: 40, pause: .milliseconds(50))
            let ends = try await pipeline.ends()
            try await eventually("everything is committed", timeout: .seconds(60)) {
                guard consumer.isRunning else { throw ProgramError(try consumer.errors()) }
                return try await pipeline.committed() == ends
            }
            #expect(proxy.cutCount >= 6)
            #expect(try await pipeline.tally() == Tally(units))
            try await endInOrder(consumer)
        }

        @Test func oneOfTwoStandaloneRunsEnds() async throws {
            let pipeline = try await Pipeline.make()
            let runs = [
                try await pipeline.startConsumer(["--standalone"]), try await pipeline.startConsumer(["--standalone"]),
            ]
            let producing = Task { try await pipeline.send(units: 0..<30_000, waves: 100, pause: .milliseconds(50)) }
            try await eventually("one of the two has ended") { runs.contains { !$0.isRunning } }
            let (loser, winner) = runs[0].isRunning ? (runs[1], runs[0]) : (runs[0], runs[1])
            let result = try await loser.result()
            #expect(result.status == 75)
            #expect(
                result.err.contains(
                    "another consumer has moved the offsets of group tfi-consumer in topic \(pipeline.topic)"))
            #expect(result.err.contains("--group"))
            try await producing.value
            let ends = try await pipeline.ends()
            try await eventually("the other run has everything") { try await pipeline.committed() == ends }
            #expect(winner.isRunning)
            #expect(try await pipeline.tally() == Tally(0..<30_000))
            try await endInOrder(winner)
        }

        /// The loser must not even interfere: it waits until the other's transaction has ended.
        @Test func anOffsetMovedByHandIsRespected() async throws {
            let pipeline = try await Pipeline.make(partitions: 1)
            try await pipeline.send(units: 0..<10)
            let consumer = try await pipeline.startConsumer(["--standalone"])
            try await eventually("everything is committed") { try await pipeline.tally().rows == 10 }
            try await pipeline.sql("UPDATE kafka_offset SET next_offset = 12")
            try await pipeline.send(units: 10..<15)
            let result = try await consumer.result(timeout: .seconds(20))
            #expect(result.status == 75)
            #expect(try await pipeline.tally() == Tally(0..<10))
            // It resumes there, without the two records in between.
            #expect(try await pipeline.catchUp().status == 0)
            #expect(try await pipeline.tally().rows == 13)
        }
    }
}
