import Foundation
import KafkaWire
import TestSupport
import Testing

extension PipelineTests {
    /// A whole day through Kafka into the views.
    @Suite struct DayTests {
        /// The folder with a day of real production data, which isn't in the repository.
        static let referenceDay: URL = {
            let named = ProcessInfo.processInfo.environment["TFI_REFERENCE_DAY"] ?? ""
            return named.isEmpty
                ? Repository.root.deletingLastPathComponent().appending(path: "shared/tfi") : URL(filePath: named)
        }()

        static let hasReferenceDay = FileManager.default.fileExists(
            atPath: referenceDay.appending(path: "unit_concern.csv").path)

        @Test func theGeneratedDayIsInEveryView() async throws {
            let folder = Repository.root.appending(path: "Fixtures/day")
            let day = try PlantDay(folder: folder)
            let pipeline = try await Pipeline.make()
            let producer = try await run(
                try Repository.program("tfi-producer"),
                [
                    "replay", "--as-fast-as-possible", "--units",
                    folder.appending(path: "unit_collection_point.csv").path,
                    "--concerns", folder.appending(path: "unit_concern.csv").path,
                ] + pipeline.clusterOptions)
            try #require(producer.status == 0, "\(producer.err)")
            let result = try await pipeline.catchUp()
            try #require(result.status == 0, "\(result.err)")

            let data = try Data(contentsOf: folder.appending(path: "expected.json"))
            let views = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [[Any]]])
            #expect(views.count == 11)
            for (view, expected) in views {
                let found = try await pipeline.table("SELECT * FROM \(view) ORDER BY 1, 2")
                #expect(found == expected.map { row in row.map { "\($0)" } }, "\(view)")
            }
            try Self.checkSummary(result, records: day.messages.count, ucp: day.passages, uc: day.concerns)
        }

        /// A generated plant of any size, whose messages can all become rows.
        @Test func aGeneratedPlantIsWrittenCompletely() async throws {
            let pipeline = try await Pipeline.make()
            let consumer = try await pipeline.startConsumer()
            let producer = try await run(
                try Repository.program("tfi-producer"),
                ["generate", "--records", "20000", "--seed", "7"] + pipeline.clusterOptions)
            try #require(producer.status == 0, "\(producer.err)")
            let ends = try await pipeline.ends()
            #expect(ends.values.reduce(0, +) == 20_000)
            #expect(ends.values.allSatisfy { $0 > 0 })
            try await eventually("every message is committed") { try await pipeline.committed() == ends }
            try await endInOrder(consumer)
            let counts = try await pipeline.table(
                "SELECT (SELECT count(*) FROM ucp) + (SELECT count(*) FROM uc), (SELECT count(*) FROM dead_letter)")
            #expect(counts == [["20000", "0"]])
            // About one concern in twenty messages.
            #expect((500..<2_000).contains(try await pipeline.number("SELECT count(*) FROM uc")))
        }

        @Test(
            .enabled(if: hasReferenceDay, "no reference day: set TFI_REFERENCE_DAY to a folder with its two CSV files"))
        func theReferenceDayHasTheNumbersOfItsDashboard() async throws {
            let day = try PlantDay(folder: Self.referenceDay)
            let pipeline = try await Pipeline.make()
            // The run is active while the plant sends.
            let consumer = try await pipeline.startConsumer()
            try await pipeline.send(day.records(topic: pipeline.topic, partitions: pipeline.partitions))
            let ends = try await pipeline.ends()
            try await eventually("every message is committed") { try await pipeline.committed() == ends }
            try await endInOrder(consumer)

            #expect(day.messages.count == 5903)
            #expect(try await pipeline.number("SELECT count(*) FROM ucp") == 5600)
            #expect(try await pipeline.number("SELECT count(*) FROM uc") == 303)
            func view(_ name: String) async throws -> [[String]] {
                try await pipeline.table("SELECT * FROM \(name) ORDER BY 1, 2").map { Array($0.dropFirst()) }
            }
            #expect(try await view("tile_total") == [["114"]])
            #expect(try await view("tile_nok") == [["88"]])
            #expect(
                try await view("tile_units_per_hour")
                    == Self.table("8:12 9:14 10:15 11:13 12:12 13:6 14:15 15:16 16:11"))
            #expect(
                try await view("tile_current_production")
                    == Self.table(
                        "8:12:13 9:26:27 10:41:41 11:54:55 12:66:65 13:72:72 14:87:86 15:103:100 16:114:110"))
            #expect(
                try await view("tile_concerns_per_hour")
                    == Self.table("8:31 9:20 10:29 11:29 12:22 13:25 14:20 15:23 16:10"))
            let zones = """
                9:171 10:164 29:160 42:131 11:129 54:127 57:124 33:120 58:120 75:120 71:117 74:117 72:116 73:116 55:114 \
                27:87 14:83 5:75 59:39 35:24 8:10 12:10 32:10 34:8 4:3 36:3 20:1 26:1
                """
            #expect(try await Set(view("tile_units_per_zone")) == Set(Self.table(zones)))

            let charged = try await view("tile_nok_per_zone")
            #expect(Set(charged).isSuperset(of: Self.table("2:27 64:15 74:13 73:8 57:7 72:6 70:5 4:4 22:4 29:4")))
            let counts = charged.compactMap { Int($0[1]) }.sorted(by: >)
            #expect(Array(counts.dropFirst(10)) == [2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1])
            #expect(counts.reduce(0, +) == 110)

            let points = try await view("tile_not_ok_by_cp")
            #expect(Set(points).isSuperset(of: Self.table("62:17 43:16 61:13 28:7 32:6")))
            #expect(points.compactMap { Int($0[1]) }.reduce(0, +) == 108)
        }

        private static func table(_ text: String) -> [[String]] {
            text.split(separator: " ").map { $0.split(separator: ":").map(String.init) }
        }

        private static func checkSummary(_ result: ProgramResult, records: Int, ucp: Int, uc: Int) throws {
            let line = try #require(result.out.split(separator: "\n").last)
            let summary = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            #expect(
                Set(summary.keys) == [
                    "records", "rows", "dead_letters", "suppressed_rows", "bytes", "seconds", "batches",
                    "rows_per_second", "max_rss_mb",
                ])
            #expect(summary["records"] as? Int == records)
            #expect(summary["rows"] as? [String: Int] == ["ucp": ucp, "uc": uc])
            #expect(summary["dead_letters"] as? Int == 0)
            let seconds = try #require(summary["seconds"] as? Double)
            let rate = try #require(summary["rows_per_second"] as? Double)
            #expect(seconds > 0)
            // Both are rounded.
            #expect(abs(rate - Double(records) / seconds) < rate / 100)
            #expect(try #require(summary["bytes"] as? Int) > records * 100)
            #expect(try #require(summary["batches"] as? Int) >= 1)
            #expect((5.0..<500).contains(try #require(summary["max_rss_mb"] as? Double)))
        }
    }
}
