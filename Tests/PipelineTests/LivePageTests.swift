import Foundation
import KafkaWire
import TestSupport
import Testing

extension DatabaseTests {
    /// The plant's live page as a browser receives it.
    @Suite(.timeLimit(.minutes(2))) struct LivePageTests {
        private static func port(of run: RunningProgram) async throws -> UInt16 {
            var port: UInt16?
            try await eventually("the run serves its page") {
                port = try run.errors().firstMatch(of: /serving url=http:\/\/127.0.0.1:(\d+)\/\n/)
                    .flatMap { UInt16($0.1) }
                return port != nil
            }
            return try #require(port)
        }

        private static func get(_ port: UInt16, _ target: String, enough: Int? = nil) async throws -> String {
            try await RawClient.exchange(
                port, "GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", enough: enough)
        }

        /// The first picture of a stream that meets a condition.
        private static func picture(
            _ port: UInt16, _ target: String = "/events", where holds: ([String: Any]) -> Bool = { _ in true }
        ) async throws -> [String: Any] {
            var found: [String: Any] = [:]
            try await eventually("the picture is sent") {
                // An empty line ends it.
                let text = try await RawClient.exchange(
                    port, "GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n",
                    until: { $0.contains(/data: \{"now".*\n/) })
                guard
                    let line = text.replacing("\r\n", with: "\n").split(separator: "\n").first(where: {
                        $0.hasPrefix("data: {\"now\"")
                    })
                else {
                    return false
                }
                let data = Data(line.dropFirst(6).utf8)
                found = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any], "\(line)")
                return holds(found)
            }
            return found
        }

        private static func tiles(_ picture: [String: Any]) -> [String: Any] {
            picture["tiles"] as? [String: Any] ?? [:]
        }

        private static func numbers(_ picture: [String: Any], _ tile: String, _ members: String...) -> [[Int]] {
            (tiles(picture)[tile] as? [[String: Any]] ?? []).map { row in members.map { row[$0] as? Int ?? -1 } }
        }

        @Test func theFilesAreInTheProgram() async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            let run = try await pipeline.startConsumer(["--http", "127.0.0.1:0"])
            let port = try await Self.port(of: run)
            let page = try await Self.get(port, "/")
            #expect(
                page.hasPrefix("HTTP/1.1 200 OK\r\n") && page.contains("Content-Type: text/html; charset=utf-8\r\n"))
            #expect(
                !page.contains("{{version}}")
                    && page.contains("<meta name=\"version\" content=\"\(KafkaWireVersion.current)\""))
            for (file, type) in [("page.css", "text/css"), ("page.js", "text/javascript")] {
                let answer = try await Self.get(port, "/\(file)")
                let source = Repository.root.appending(path: "Sources/TFIConsumer/Page/\(file)")
                #expect(answer.contains("Content-Type: \(type); charset=utf-8\r\n"))
                #expect(answer.hasSuffix(try String(contentsOf: source, encoding: .utf8)))
            }
            for day in ["2024-02-30", "today", "2024-1-1", "2024-01-01%27", ""] {
                #expect(try await Self.get(port, "/events?day=\(day)").hasPrefix("HTTP/1.1 404 "), "\(day)")
            }
            try await endInOrder(run)
            await pipeline.close()
        }

        @Test func picturesFollowTheRows() async throws {
            let pipeline = try await FakePipeline.make(partitions: 2)
            let run = try await pipeline.startConsumer(["--http", "127.0.0.1:0"])
            let port = try await Self.port(of: run)
            let empty = try await Self.picture(port) { ($0["data"] as? [String: Any])?["lag"] as? Int == 0 }
            #expect(empty["days"] as? [String] == [])
            #expect(Self.tiles(empty)["total"] as? Int == 0)
            #expect(Self.numbers(empty, "units_per_zone", "zone", "units") == [])

            try await pipeline.send((0..<30).map { pipeline.passage($0) })
            try await pipeline.send([
                ProducerRecord(topic: FakePipeline.topic, partition: 1, key: [0x78], value: [0x79])
            ])
            let total = try await Self.picture(port) {
                ($0["data"] as? [String: Any])?["dead_letters"] as? Int == 1
                    && !Self.numbers($0, "units_per_zone", "zone", "units").isEmpty
            }
            let day = try #require(
                try await pipeline.sql("SELECT DISTINCT day::text FROM tile_units_per_zone").first?[0])
            #expect(total["day"] as? String == day && total["days"] as? [String] == [day])
            // The messages are from another year.
            #expect(total["replayed"] as? Bool == true && (total["now"] as? String)?.hasPrefix(day) == true)
            for (tile, key, sql) in [
                (
                    "units_per_zone", "zone",
                    "SELECT zone_id, units FROM tile_units_per_zone ORDER BY units DESC, zone_id"
                ),
                ("units_per_hour", "hour", "SELECT hour, units FROM tile_units_per_hour ORDER BY hour"),
                (
                    "not_ok_by_point", "point",
                    "SELECT collection_point_id, units FROM tile_not_ok_by_cp ORDER BY units DESC, 1"
                ),
            ] {
                let expected = try await pipeline.sql(sql).map { $0.map { Int($0) ?? -1 } }
                #expect(Self.numbers(total, tile, key, "units") == expected, "\(tile)")
            }

            let chosen = try await Self.picture(port, "/events?day=\(day)")
            #expect(chosen["replayed"] as? Bool == true && chosen["now"] as? String == total["now"] as? String)

            // A second viewer chooses another day.
            try await pipeline.sql(
                "INSERT INTO ucp VALUES (9, '2023-05-04 10:00', 40, 3), (9, '2023-05-04 11:00', 40, 3)")
            let other = try await Self.picture(port, "/events?day=2023-05-04")
            #expect(other["day"] as? String == "2023-05-04" && other["replayed"] as? Bool == false)
            #expect(other["days"] as? [String] == [day, "2023-05-04"])
            #expect(Self.tiles(other)["total"] as? Int == 1)
            #expect(Self.numbers(other, "units_per_hour", "hour", "units") == [[10, 1]])
            let without = try await Self.picture(port, "/events?day=1999-01-01")
            #expect(without["day"] as? String == "1999-01-01" && Self.tiles(without)["total"] as? Int == 0)

            // A failing query is reported, and the stream continues.
            try await pipeline.sql("ALTER VIEW tile_nok RENAME TO hidden")
            let failed = try await Self.picture(port) {
                ((($0["data"] as? [String: Any])?["waits"] as? [String]) ?? []).contains { $0.contains("tile_nok") }
            }
            #expect(failed["version"] as? String == KafkaWireVersion.current)
            try await pipeline.sql("ALTER VIEW hidden RENAME TO tile_nok")
            _ = try await Self.picture(port) { Self.tiles($0)["total"] is Int }
            try await endInOrder(run)
            await pipeline.close()
        }

        /// The second plant's tables, views and page are its own.
        @Test func eachPlantOfASchemaHasItsOwnTables() async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            let made = try await run(
                try Repository.program("tfi-consumer"),
                ["init", "--database", pipeline.postgres.uri, "--schema", pipeline.schema, "--plant", "north"])
            #expect(made.status == 0, "\(made.err)")
            try await pipeline.send((0..<5).map { pipeline.passage($0, partitions: 1) })
            let north = ["--plant", "north", "--group", "north"]
            #expect(try await pipeline.catchUp(north).status == 0)
            #expect(try await pipeline.units() == [])
            #expect(try await pipeline.sql("SELECT units FROM north_tile_total") == [["5"]])
            let running = try await pipeline.startConsumer(north + ["--http", "127.0.0.1:0"])
            let picture = try await Self.picture(try await Self.port(of: running)) {
                Self.tiles($0)["total"] as? Int == 5
            }
            #expect(Self.numbers(picture, "units_per_zone", "zone", "units") == [[7, 5]])
            try await endInOrder(running)
            #expect(try await pipeline.catchUp().status == 0)
            #expect(try await pipeline.units() == [0, 1, 2, 3, 4])
            #expect(try await pipeline.sql("SELECT count(*) FROM north_ucp") == [["5"]])

            let missing = try await pipeline.catchUp(["--plant", "south"])
            #expect(missing.status == 78)
            #expect(
                missing.err.contains("lacks south_uc, south_ucp: run 'tfi-consumer init --plant south' first"),
                "\(missing.err)")
            for wrong in [["--plant", "No-Name"], ["--plant", "north", "--table", "ucp"], ["--plant", "9"]] {
                #expect(try await pipeline.catchUp(wrong).status == 64, "\(wrong)")
            }
            await pipeline.close()
        }
    }
}
