import Foundation
import KafkaWire
import TestSupport
import Testing

extension DatabaseTests {
    /// `tfi-consumer dead-letters`: listing, retrying and discarding messages that could not become rows.
    @Suite struct DeadLetterCommandTests {
        private static func letters(_ pipeline: FakePipeline, _ arguments: [String]) async throws -> ProgramResult {
            try await run(
                try Repository.program("tfi-consumer"),
                ["dead-letters"] + arguments + ["--database", pipeline.postgres.uri, "--schema", pipeline.schema])
        }

        private static func list(_ pipeline: FakePipeline, _ more: [String] = []) async throws -> [NSDictionary] {
            let result = try await letters(pipeline, ["list", "--json"] + more)
            try #require(result.status == 0, "\(result.err)")
            return try #require(try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [NSDictionary])
        }

        /// Creates a table that accepts only small numbers, and messages of which some are too large and one isn't
        /// JSON.
        private static func withRejected(_ body: (FakePipeline, [String]) async throws -> Void) async throws {
            let pipeline = try await FakePipeline.make(partitions: 1)
            pipeline.fake.createTopic("press", partitions: 2)
            try await pipeline.sql("CREATE TABLE press (n int CHECK (n < 10), note text)")
            let table = ["--topic", "press", "--table", "\(pipeline.schema).press"]
            let values = ["{\"n\":1}", "{\"n\":20}", "{\"n\":30,\"note\":\"\\u00e4\"}", "{", "{\"n\":2}"]
            try await pipeline.send(
                values.enumerated().map { index, value in
                    ProducerRecord(
                        topic: "press", partition: Int32(index % 2), key: [0xff, UInt8(index)],
                        value: Array(value.utf8),
                        headers: [
                            RecordHeader("name", [0x61]), RecordHeader("bytes", [0xff]), RecordHeader("none", nil),
                        ],
                        timestamp: KafkaTimestamp(millisecondsSince1970: 1_710_230_400_000))
                })
            #expect(try await pipeline.catchUp(table).status == 0)
            try await body(pipeline, table)
            await pipeline.close()
        }

        @Test func lettersAreListedAndShown() async throws {
            try await Self.withRejected { pipeline, _ in
                let all = try await Self.list(pipeline)
                #expect(all.count == 3)
                #expect(try await Self.list(pipeline, ["--reason", "not valid JSON"]).count == 1)
                #expect(try await Self.list(pipeline, ["--from-topic", "press", "--partition", "1"]).count == 2)
                #expect(try await Self.list(pipeline, ["--from-topic", "paint"]).isEmpty)
                #expect(try await Self.list(pipeline, ["--until", "2020-01-01"]).isEmpty)
                #expect(try await Self.list(pipeline, ["--since", "2020-01-01", "--limit", "2"]).count == 2)
                let twenty = try #require(all.first { ($0["value"] as? String) == "{\"n\":20}" })
                #expect(twenty["key"] as? NSDictionary == ["base64": "/wE="])
                #expect(twenty["timestamp"] as? Int == 1_710_230_400_000)
                #expect((twenty["reason"] as? String)?.contains("check constraint") == true)
                let id = try #require(twenty["id"] as? Int)
                let shown = try await Self.letters(pipeline, ["show", "--id", "\(id)"])
                #expect(shown.status == 0)
                for part in ["press-1@0", "{\"n\":20}", "base64 /wE=", "\"base64\": \"/w==\"", "resolution  open"] {
                    #expect(shown.out.contains(part), "\(part) in \(shown.out)")
                }
                let plain = try await Self.letters(pipeline, ["list"])
                #expect(plain.out.split(separator: "\n").count == 3)
                #expect(try await Self.letters(pipeline, ["show", "--id", "999"]).status == 64)
                #expect(try await Self.letters(pipeline, ["list", "--since", "soon"]).status == 64)
                #expect(try await Self.letters(pipeline, ["burn"]).err.contains("one of list, show, retry, discard"))
                #expect(
                    try await pipeline.sql("SELECT letters FROM dead_letter_count ORDER BY letters")
                        == [["1"], ["2"]])
            }
        }

        @Test func aRetryWritesEachRowOnceAndKeepsTheNewReasonOfTheRest() async throws {
            try await Self.withRejected { pipeline, table in
                let retry = ["retry"] + table
                // Without a terminal it needs `--yes`.
                let refused = try await Self.letters(pipeline, retry)
                #expect(refused.status == 64 && refused.err.contains("--yes"))
                let trial = try await Self.letters(pipeline, retry + ["--dry-run"])
                #expect(trial.err.contains("would be stored: 0 letters (0 rows), would be rejected again: 3"))
                try await pipeline.sql("ALTER TABLE press DROP CONSTRAINT press_n_check, ADD CHECK (n < 25)")
                let again = try await Self.letters(pipeline, retry + ["--dry-run"])
                #expect(again.err.contains("would be stored: 1 letters (1 rows), would be rejected again: 2"))
                #expect(try await pipeline.number("SELECT count(*) FROM press") == 2)
                #expect(try await pipeline.number("SELECT sum(retries) FROM dead_letter") == 0)

                let first = try await Self.letters(pipeline, retry + ["--yes", "--json"])
                #expect(first.status == 0 && first.out == "{\"stored\":1,\"rows\":1,\"rejected\":2}\n", "\(first.err)")
                #expect(try await pipeline.sql("SELECT n FROM press ORDER BY n") == [["1"], ["2"], ["20"]])
                try await pipeline.sql("ALTER TABLE press DROP CONSTRAINT press_n_check")
                // Two at once: each letter is handled by only one of them.
                async let one = Self.letters(pipeline, retry + ["--yes"])
                async let other = Self.letters(pipeline, retry + ["--yes"])
                for result in try await [one, other] { #expect(result.status == 0, "\(result.err)") }
                #expect(
                    try await pipeline.sql("SELECT n, coalesce(note, '-') FROM press ORDER BY n")
                        == [["1", "-"], ["2", "-"], ["20", "-"], ["30", "ä"]])
                #expect(try await Self.list(pipeline).count == 1)
                let resolved = try await Self.list(pipeline, ["--all", "--reason", "check constraint"])
                #expect(resolved.count == 2)
                #expect(resolved.allSatisfy { ($0["resolution"] as? String)?.hasPrefix("retried by ") == true })
                // Another group's letters are left alone.
                let foreign = try await Self.letters(pipeline, retry + ["--yes", "--group", "other", "--json"])
                #expect(foreign.out == "{\"stored\":0,\"rows\":0,\"rejected\":0}\n")
            }
        }

        @Test func lettersWithoutARouteAreLeftAlone() async throws {
            try await Self.withRejected { pipeline, table in
                try await pipeline.sql("ALTER TABLE press DROP CONSTRAINT press_n_check; CREATE TABLE paint (n int)")
                let file = FileManager.default.temporaryDirectory.appending(path: "\(pipeline.schema).yaml")
                defer { try? FileManager.default.removeItem(at: file) }
                func retry(_ topic: String) async throws -> ProgramResult {
                    try """
                    unrouted: ignore
                    routes:
                      - topic: \(topic)
                        when: { key: other }
                        table: \(pipeline.schema).paint
                    """.write(to: file, atomically: true, encoding: .utf8)
                    return try await Self.letters(pipeline, ["retry", "--yes", "--json", "--mapping", file.path])
                }
                // A letter of another topic is neither stored nor changed.
                let foreign = try await retry("paint")
                #expect(foreign.out == "{\"stored\":0,\"rows\":0,\"rejected\":0}\n", "\(foreign.err)")
                #expect(foreign.err.contains("skipped: 3 letters of topics that the mapping does not read"))
                #expect(try await pipeline.number("SELECT sum(retries) FROM dead_letter") == 0)
                // A letter of its topic without a matching route stays open.
                let unrouted = try await retry("press")
                #expect(unrouted.out == "{\"stored\":0,\"rows\":0,\"rejected\":3}\n", "\(unrouted.err)")
                #expect(try await Self.list(pipeline, ["--reason", "no route takes"]).count == 3)
                let stored = try await Self.letters(pipeline, ["retry", "--yes", "--json"] + table)
                #expect(stored.out == "{\"stored\":2,\"rows\":2,\"rejected\":1}\n", "\(stored.err)")
            }
        }

        @Test func discardedLettersStayInTheTable() async throws {
            try await Self.withRejected { pipeline, table in
                let discard = ["discard", "--reason", "not valid JSON"]
                #expect(try await Self.letters(pipeline, discard).status == 64)
                #expect(try await Self.letters(pipeline, discard + ["--dry-run"]).err.contains("would be discarded: 1"))
                #expect(try await Self.list(pipeline).count == 3)
                #expect(try await Self.letters(pipeline, discard + ["--yes"]).err.contains("discarded: 1"))
                #expect(try await Self.list(pipeline).count == 2)
                #expect(try await Self.list(pipeline, ["--all"]).count == 3)
                try await pipeline.sql("ALTER TABLE press DROP CONSTRAINT press_n_check")
                let retried = try await Self.letters(pipeline, ["retry", "--yes", "--json"] + table)
                #expect(retried.out == "{\"stored\":2,\"rows\":2,\"rejected\":0}\n")
            }
        }

        /// Killed repeatedly at any moment: no row is duplicated or lost.
        @Test func aKilledRetryDuplicatesNothing() async throws {
            try await Self.withRejected { pipeline, table in
                try await pipeline.sql(
                    """
                    ALTER TABLE press DROP CONSTRAINT press_n_check;
                    INSERT INTO dead_letter (topic, "partition", "offset", value, reason)
                    SELECT 'press', 0, 1000 + i, convert_to('{"n":' || 1000 + i || '}', 'UTF8'), 'made up'
                    FROM generate_series(1, 3000) AS i
                    """)
                let arguments =
                    [
                        "dead-letters", "retry", "--yes", "--database", pipeline.postgres.uri, "--schema",
                        pipeline.schema,
                    ]
                    + table
                for round in 1...5 {
                    let retrying = try await RunningProgram.start(try Repository.program("tfi-consumer"), arguments)
                    try await eventually("some are stored") {
                        try await pipeline.number("SELECT count(*) FROM press") > round * 300 || !retrying.isRunning
                    }
                    retrying.signal(SIGKILL)
                    _ = try await retrying.result()
                }
                #expect(try await run(try Repository.program("tfi-consumer"), arguments).status == 0)
                #expect(
                    try await pipeline.sql(
                        "SELECT count(*), count(DISTINCT n), min(n), max(n) FROM press WHERE n > 1000")
                        == [["3000", "3000", "1001", "4000"]])
            }
        }
    }
}
