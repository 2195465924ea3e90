import Foundation
import TestSupport
import Testing

extension PipelineTests {
    /// Runs that are ended from outside, at any moment. Those that are killed read without a group, which would keep their
    /// partitions until their sessions end.
    @Suite struct KillTests {
        /// A run that is killed and started again, until everything is in the database.
        @Test func twentyKillsLoseAndDoubleNothing() async throws {
            let units = 0..<(PipelineTests.isLong ? 3_000_000 : 300_000)
            let pipeline = try await Pipeline.make()
            // Produced while it is consumed, over about as long as the kills take.
            let producing = Task { try await pipeline.send(units: units, waves: 60, pause: .milliseconds(150)) }
            var random = SeededRandom(seed: 40)
            for round in 0..<20 {
                let consumer = try await pipeline.startConsumer(["--standalone"])
                // At times before the first commit, at times amid them.
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

        /// Kills amid the search for the rows that the database refuses.
        @Test func killsWhileRowsAreRefusedLoseAndDoubleNothing() async throws {
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

        /// SIGTERM: what was read is committed, the status is 0, and the next run goes on there.
        @Test(arguments: [SIGTERM, SIGINT])
        func aSignalEndsARunInOrder(number: Int32) async throws {
            let units = 0..<30_000
            let pipeline = try await Pipeline.make()
            let producing = Task { try await pipeline.send(units: units, waves: 30, pause: .milliseconds(20)) }
            var committedByRuns = 0
            for _ in 0..<3 {
                let before = try await pipeline.tally().rows
                // With nothing left to read, nothing would tell that the run listens to signals.
                guard before < units.count else { break }
                let consumer = try await pipeline.startConsumer(["--summary-json"])
                try await eventually("a row") { try await pipeline.tally().rows > before }
                let result = try await endInOrder(consumer, by: number)
                let summary = try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: Any]
                committedByRuns += try #require(summary?["records"] as? Int)
                // What the run says it has done is what is there.
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
