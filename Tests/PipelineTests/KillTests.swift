import Foundation
import TestSupport
import Testing

extension PipelineTests {
    /// Runs that are ended from outside at any moment. Those that are killed read without a group, which would reserve
    /// their partitions until their sessions end.
    @Suite struct KillTests {
        /// A run is killed and restarted until everything is in the database.
        @Test func twentyKillsLoseAndDuplicateNothing() async throws {
            let units = 0..<(PipelineTests.isLong ? 3_000_000 : 300_000)
            let pipeline = try await Pipeline.make()
            // Records are produced during consumption, over about as long as the kills take.
            let producing = Task { try await pipeline.send(units: units, waves: 60, pause: .milliseconds(150)) }
            var random = SeededRandom(seed: 40)
            for round in 0..<20 {
                let consumer = try await pipeline.startConsumer(["--standalone"])
                // Sometimes before the first commit, sometimes between commits.
                let moment = Double.random(in: 0...1, using: &random)
                try await Task.sleep(for: .milliseconds(Int(30 + 900 * moment * moment)))
                consumer.signal(SIGKILL)
                let result = try await consumer.result()
                #expect(result.status == 128 + SIGKILL, "round \(round): \(result.err)")
            }
            try await producing.value
            let last = try await pipeline.catchUp(["--standalone"], timeout: .seconds(300))
            try #require(last.status == 0, "\(last.err)")
            #expect(try await pipeline.tally() == Tally(units))
            #expect(try await pipeline.committed() == pipeline.ends())
            #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") == 0)
        }

        /// Kills during the search for the rows that the database refuses.
        @Test func killsWhileRowsAreRefusedLoseAndDuplicateNothing() async throws {
            let pipeline = try await Pipeline.make()
            try await pipeline.sql("ALTER TABLE ucp ADD CONSTRAINT zone_is_known CHECK (zone_id <> 13)")
            let units = 0..<20_000
            try await pipeline.send(units.map { pipeline.passage($0, zone: $0 % 397 == 5 ? 13 : 7) })
            var random = SeededRandom(seed: 41)
            for _ in 0..<6 {
                let consumer = try await pipeline.startConsumer(["--standalone"])
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...700, using: &random)))
                consumer.signal(SIGKILL)
                _ = try await consumer.result()
            }
            let last = try await pipeline.catchUp(["--standalone"])
            try #require(last.status == 0, "\(last.err)")
            let good = units.filter { $0 % 397 != 5 }
            #expect(
                try await pipeline.tally() == Tally(rows: good.count, units: good.count, sum: good.reduce(0, +)))
            let letters = try await pipeline.table("SELECT count(*), count(DISTINCT value) FROM dead_letter")
            #expect(letters == [["\(units.count - good.count)", "\(units.count - good.count)"]])
        }

        /// SIGTERM: records that were read are committed, the status is 0, and the next run resumes there.
        @Test(arguments: [SIGTERM, SIGINT])
        func aSignalEndsARunOrderly(number: Int32) async throws {
            let units = 0..<30_000
            let pipeline = try await Pipeline.make()
            let producing = Task { try await pipeline.send(units: units, waves: 30, pause: .milliseconds(20)) }
            var committedByRuns = 0
            for _ in 0..<3 {
                let before = try await pipeline.tally().rows
                // With nothing left to read, nothing would show that the run handles signals.
                guard before < units.count else { break }
                let consumer = try await pipeline.startConsumer(["--summary-json"])
                try await eventually("a row") { try await pipeline.tally().rows > before }
                let result = try await endInOrder(consumer, by: number)
                let summary = try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: Any]
                committedByRuns += try #require(summary?["records"] as? Int)
                // The run's report matches the tables.
                #expect(try await pipeline.tally().rows == committedByRuns)
                #expect(try await pipeline.committed().values.reduce(0, +) == Int64(committedByRuns))
            }
            try await producing.value
            let last = try await pipeline.catchUp()
            try #require(last.status == 0, "\(last.err)")
            #expect(try await pipeline.tally() == Tally(units))
        }
    }
}
