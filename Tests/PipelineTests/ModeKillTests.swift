import Foundation
import KafkaWire
import TestSupport
import Testing

extension PipelineTests {
    /// Upserts and deletions by runs that are killed at any moment.
    @Suite struct ModeKillTests {
        @Test func killsLeaveTheStateOfTheLog() async throws {
            let pipeline = try await Pipeline.make(partitions: 2)
            try await pipeline.sql(StateModel.tables + "; ALTER TABLE state ADD CHECK (n <> 13)")
            let file = FileManager.default.temporaryDirectory.appending(path: "\(pipeline.schema).yaml")
            try StateModel.mapping.replacing("SCHEMA", with: pipeline.schema)
                .replacing("topic: state", with: "topic: \(pipeline.topic)")
                .write(to: file, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(at: file) }
            let records = StateModel.records(60_000, ids: 5_000, seed: 9)
            var model = StateModel(known: [])
            for record in records { model.apply(record, refusing: 13) }
            let producing = Task { try await send(records, pipeline) }
            let arguments =
                ["run", "--bootstrap-servers", pipeline.kafka.bootstrap, "--mapping", file.path]
                + pipeline.databaseOptions
            let program = try Repository.program("tfi-consumer")
            var random = SeededRandom(seed: 42)
            for round in 0..<10 {
                let consumer = try await RunningProgram.start(program, arguments)
                let moment = Double.random(in: 0...1, using: &random)
                try await Task.sleep(for: .milliseconds(Int(50 + 900 * moment * moment)))
                consumer.signal(SIGKILL)
                let result = try await consumer.result()
                #expect(result.status == 128 + SIGKILL, "round \(round): \(result.err)")
            }
            try await producing.value
            let last = try await pipeline.consumer(arguments + ["--until-caught-up"])
            try #require(last.status == 0, "\(last.err)")
            #expect(try await pipeline.table(StateModel.query) == model.table)
            #expect(try await pipeline.committed() == pipeline.ends())
            #expect(
                try await pipeline.table(
                    "SELECT count(*) FROM (SELECT FROM dead_letter GROUP BY partition, \"offset\" HAVING count(*) > 1) AS d"
                )
                    == [["0"]])
        }

        /// Over about as long as the kills take.
        private func send(_ records: [StateRecord], _ pipeline: Pipeline) async throws {
            let size = records.count / 60
            for begin in stride(from: 0, to: records.count, by: size) {
                try await pipeline.send(
                    records[begin..<min(begin + size, records.count)].map { record in
                        ProducerRecord(
                            topic: pipeline.topic, partition: Int32(record.id % 2), key: Array(record.key.utf8),
                            value: record.value.map { Array($0.utf8) })
                    })
                // The waves spread the records over time; nothing is awaited by it.
                try await Task.sleep(for: .milliseconds(60))
            }
        }
    }
}
