import Foundation
import KafkaWire
import TestSupport
import Testing

extension DatabaseTests {
    /// `tfi-consumer offsets`: moving a group to another offset.
    @Suite struct OffsetCommandTests {
        private static func offsets(_ pipeline: FakePipeline, _ arguments: [String]) async throws -> ProgramResult {
            try await run(
                try Repository.program("tfi-consumer"),
                ["offsets"] + arguments + ["--database", pipeline.postgres.uri] + pipeline.arguments)
        }

        private static func stored(_ pipeline: FakePipeline) async throws -> [String] {
            try await pipeline.sql("SELECT next_offset FROM kafka_offset ORDER BY partition").map { $0[0] }
        }

        /// Makes the offsets look as if they had not moved for a while.
        private static func rest(_ pipeline: FakePipeline) async throws {
            try await pipeline.sql("UPDATE kafka_offset SET updated_at = now() - interval '1 minute'")
        }

        @Test func offsetsAreSetByPlaceTimeAndNumber() async throws {
            let pipeline = try await FakePipeline.make(partitions: 2)
            try await pipeline.send(
                (0..<20).map { unit in
                    var record = pipeline.passage(unit)
                    record.timestamp = KafkaTimestamp(millisecondsSince1970: 1_710_230_400_000 + Int64(unit) * 1_000)
                    return record
                })
            #expect(try await pipeline.catchUp().status == 0)
            let shown = try await Self.offsets(pipeline, ["show", "--json"])
            #expect(
                try JSONSerialization.jsonObject(with: Data(shown.out.utf8)) as? [NSDictionary]
                    == (0..<2).map { ["topic": "TFI", "partition": $0, "begin": 0, "offset": 10, "end": 10] })
            try await Self.rest(pipeline)
            let unconfirmed = try await Self.offsets(pipeline, ["set", "--to", "earliest"])
            #expect(unconfirmed.status == 64 && unconfirmed.err.contains("--yes"))
            let trial = try await Self.offsets(pipeline, ["set", "--to", "earliest", "--dry-run"])
            #expect(trial.status == 0 && trial.out.contains("10 are read again"))
            #expect(trial.err.contains("come twice in tables of the mode append"))
            #expect(try await Self.stored(pipeline) == ["10", "10"])

            func set(_ arguments: [String]) async throws {
                let result = try await Self.offsets(pipeline, ["set", "--yes"] + arguments)
                #expect(result.status == 0, "\(result.err)")
            }
            try await set(["--to", "3", "--partition", "1"])
            #expect(try await Self.stored(pipeline) == ["10", "3"])
            // 08:00:05 is the time of unit 5, the third one of partition 1.
            try await set(["--to", "2024-03-12T08:00:05Z"])
            #expect(try await Self.stored(pipeline) == ["3", "2"])
            try await set(["--to", "2030-01-01T00:00:00+01:00", "--partition", "0"])
            #expect(try await Self.stored(pipeline) == ["10", "2"])
            try await set(["--to", "latest"])
            #expect(try await Self.stored(pipeline) == ["10", "10"])
            try await set(["--to", "earliest", "--partition", "0"])
            #expect(try await Self.stored(pipeline) == ["0", "10"])
            #expect(
                try await pipeline.sql(
                    "SELECT partition, from_offset, to_offset FROM kafka_offset_change ORDER BY changed_at, partition LIMIT 3"
                )
                    == [["1", "10", "3"], ["0", "10", "3"], ["1", "3", "2"]])
            #expect(
                try await pipeline.number("SELECT count(*) FROM kafka_offset_change WHERE changed_by LIKE '%@%'") == 7)

            // A place that exists in one partition may not exist in another.
            try await pipeline.send([pipeline.passage(20)])
            try await set(["--to", "11", "--partition", "0"])
            try await set(["--to", "earliest", "--partition", "0"])

            // The next run reads partition 0 again.
            let result = try await pipeline.catchUp()
            #expect(result.out.contains("\"records\":11,"), "\(result.out) \(result.err)")
            #expect(try await pipeline.units() == (0..<21).flatMap { $0 % 2 == 0 && $0 < 20 ? [$0, $0] : [$0] })
            for wrong in [["--to", "12"], ["--to", "soon"], ["--to", "1", "--partition", "2"], []] {
                #expect(try await Self.offsets(pipeline, ["set", "--yes"] + wrong).status == 64)
            }
            await pipeline.close()
        }

        @Test func aRecreatedTopicIsReadFromItsBeginning() async throws {
            let pipeline = try await FakePipeline.make(partitions: 2)
            try await pipeline.send((0..<4).map { pipeline.passage($0) })
            #expect(try await pipeline.catchUp().status == 0)
            try await Self.rest(pipeline)
            pipeline.fake.createTopic(FakePipeline.topic, partitions: 2)
            try await pipeline.send((4..<7).map { pipeline.passage($0) })
            #expect(try await pipeline.catchUp().status == 78)
            let result = try await Self.offsets(pipeline, ["set", "--yes", "--to", "earliest"])
            #expect(result.status == 0, "\(result.err)")
            #expect(try await pipeline.catchUp().status == 0)
            #expect(try await pipeline.units() == Array(0..<7))
            await pipeline.close()
        }

        @Test(arguments: [[], ["--standalone"]])
        func offsetsAreNotSetDuringARun(mode: [String]) async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            let run = try await pipeline.startConsumer(mode)
            try await pipeline.send([pipeline.passage(0, partitions: 1)])
            try await eventually("the run is active") { try await pipeline.committed() == 1 }
            // As if it had just moved, however long the command takes to start.
            try await pipeline.sql("UPDATE kafka_offset SET updated_at = now() + interval '1 minute'")
            let result = try await Self.offsets(pipeline, ["set", "--yes", "--to", "earliest"])
            #expect(result.status == 75)
            #expect(
                result.err.contains(
                    mode.isEmpty
                        ? "group tfi-consumer has 1 members" : "a run of group tfi-consumer seems to be active"))
            #expect(try await Self.stored(pipeline) == ["1"])
            try await endInOrder(run, within: .seconds(8))
            await pipeline.close()
        }
    }
}
