import Foundation
import KafkaWire
import TestSupport
import Testing

extension PipelineTests {
    /// Messages that can't become rows, or whose rows the database refuses.
    @Suite struct DeadLetterTests {
        private static let passageKey = "unit_collection_point"
        private static let time = "2024-03-12 08:00:00.0"

        private static func value(
            unit: String = "1", time: String = "\"\(time)\"", point: String = "2", zone: String = "3"
        ) -> String {
            "{\"qls_unit_id\":\(unit),\"unit_collection_pt_timestamp\":\(time),\"collection_point_id\":\(point),"
                + "\"zone_id\":\(zone)}"
        }

        /// Keys and values, with a part of the expected reason.
        private static let malformed: [(key: [UInt8]?, value: [UInt8]?, reason: String)] = {
            let key = Array(passageKey.utf8)
            let values: [(String, String)] = [
                ("", "not valid JSON"), ("not JSON", "not valid JSON"), (String(value().dropLast()), "not valid JSON"),
                (value() + value(), "something follows"), ("[]", "not a JSON object"), ("null", "not a JSON object"),
                ("{}", "$.qls_unit_id for column \"qls_unit_id\" (integer) is missing"),
                (value(unit: "\"one\""), "expected integer, found \"one\""),
                (value(unit: "1.5"), "expected integer, found 1.5"), (value(unit: "null"), "is missing or null"),
                (value(zone: "2147483648"), "$.zone_id for column \"zone_id\": expected a value in the range"),
                (value(zone: "99999999999999999999"), "in the range of integer"),
                (value(time: "17"), "the database refused it: date/time field value out of range"),
                (value(time: "\"2023-02-29 00:00:00.0\""), "in the range of timestamp"),
                (value(time: "\"2024-03-12 25:00:00.0\""), "in the range of timestamp"),
                (value(time: "\"yesterday\""), "relative to the present"),
                (value(zone: "\"\u{0}\""), "control character"),
            ]
            return values.map { (key, Array($0.0.utf8), $0.1) } + [
                (key, nil, "the record has no value"),
                (nil, Array(value().utf8), "no route takes the record without a key"),
                (
                    Array("unit_repair".utf8), Array(value().utf8),
                    "no route takes the record with the key 'unit_repair'"
                ),
                ([], Array(value().utf8), "with the key ''"), ([0, 0xff], [0, 0xfe, 0xff], "no route takes"),
                (key, [0, 0xfe, 0xff], "not valid JSON"), (nil, nil, "no route takes"),
            ]
        }()

        @Test func everyMalformedMessageIsKeptAndNothingStops() async throws {
            let pipeline = try await Pipeline.make(partitions: 2)
            var records: [ProducerRecord] = []
            for (index, message) in Self.malformed.enumerated() {
                records.append(pipeline.passage(index))
                records.append(
                    ProducerRecord(
                        topic: pipeline.topic, partition: 1, key: message.key, value: message.value,
                        timestamp: KafkaTimestamp(millisecondsSince1970: 1_710_230_400_000 + Int64(index))))
            }
            try await pipeline.send(records)
            let result = try await pipeline.catchUp()
            try #require(result.status == 0, "\(result.err)")
            #expect(try await pipeline.tally() == Tally(0..<Self.malformed.count))
            #expect(try await pipeline.committed() == pipeline.ends())

            let letters = try await pipeline.table(
                """
                SELECT reason, encode(key, 'hex'), encode(value, 'hex'), "topic", "partition", "offset", headers,
                    extract(epoch FROM "timestamp") * 1000, received_at > now() - interval '1 minute'
                FROM dead_letter ORDER BY "timestamp"
                """)
            try #require(letters.count == Self.malformed.count)
            func hexadecimal(_ bytes: [UInt8]?) -> String {
                bytes?.map { String(UInt16($0) | 0x100, radix: 16).dropFirst() }.joined() ?? "null"
            }
            for (index, (letter, message)) in zip(letters, Self.malformed).enumerated() {
                #expect(letter[0].contains(message.reason), "\(letter)")
                #expect(letter[1] == hexadecimal(message.key), "\(letter)")
                #expect(letter[2] == hexadecimal(message.value), "\(letter)")
                #expect(letter[3] == pipeline.topic && letter[4] == "1" && letter[6] == "null" && letter[8] == "t")
                #expect(letter[7].hasPrefix(String(1_710_230_400_000 + index)), "\(letter)")
            }
            // Valid messages are between them in the same partition, so the offsets must be the messages' own.
            #expect(Set(letters.map { $0[5] }).count == letters.count)
            let line = try #require(result.out.split(separator: "\n").last)
            #expect(line.contains("\"dead_letters\":\(Self.malformed.count),"))
        }

        @Test func headersAreKept() async throws {
            let pipeline = try await Pipeline.make(partitions: 1)
            try await pipeline.send([
                ProducerRecord(
                    topic: pipeline.topic, key: nil, value: nil,
                    headers: [
                        RecordHeader("source", Array("press 3".utf8)), RecordHeader("empty", []),
                        RecordHeader("none", nil), RecordHeader("bytes", [0xff, 0x00]),
                        RecordHeader("nul", Array("a\0b".utf8)), RecordHeader("source", Array("größe \"q\" \\".utf8)),
                        RecordHeader("a\0b", []), RecordHeader("", []),
                    ])
            ])
            let result = try await pipeline.catchUp()
            try #require(result.status == 0, "\(result.err)")
            let headers = try await pipeline.table(
                """
                SELECT header ->> 'name', header ->> 'value', header ->> 'base64', header ? 'value'
                FROM dead_letter, jsonb_array_elements(headers) WITH ORDINALITY AS entry (header, place) ORDER BY place
                """)
            #expect(
                headers == [
                    ["source", "press 3", "null", "t"], ["empty", "", "null", "t"], ["none", "null", "null", "t"],
                    ["bytes", "null", "/wA=", "f"], ["nul", "null", "YQBi", "f"],
                    ["source", "größe \"q\" \\", "null", "t"], ["a\u{fffd}b", "", "null", "t"], ["", "", "null", "t"],
                ])
        }

        /// If not even a dead letter can be written, nothing is dropped: the run ends, and its offset stays.
        @Test func aDeadLetterThatTheDatabaseRefusesEndsTheRun() async throws {
            let pipeline = try await Pipeline.make(partitions: 1)
            try await pipeline.sql("ALTER TABLE dead_letter ADD CONSTRAINT no_press CHECK (key <> 'press')")
            try await pipeline.send([
                pipeline.passage(0), ProducerRecord(topic: pipeline.topic, key: Array("press".utf8), value: nil),
                pipeline.passage(1),
            ])
            let result = try await pipeline.catchUp()
            #expect(result.status == 78, "\(result.err)")
            #expect(result.err.contains("partition 0, offset 1"), "\(result.err)")
            #expect(result.err.contains("no_press"), "\(result.err)")
            #expect(try await pipeline.tally() == Tally(0..<1))
            #expect(try await pipeline.committed() == [0: 1])
            try await pipeline.sql("ALTER TABLE dead_letter DROP CONSTRAINT no_press")
            #expect(try await pipeline.catchUp().status == 0)
            #expect(try await pipeline.tally() == Tally(0..<2))
            #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") == 1)
        }

        /// In a batch that the database refuses, only the offending rows are kept out.
        @Test func onlyRowsThatTheDatabaseRefusesBecomeDeadLetters() async throws {
            let pipeline = try await Pipeline.make()
            try await pipeline.sql("ALTER TABLE ucp ADD CONSTRAINT zone_is_known CHECK (zone_id <> 13)")
            let culprits: Set = [0, 1, 777, 1_500, 1_999]
            try await pipeline.send((0..<2_000).map { pipeline.passage($0, zone: culprits.contains($0) ? 13 : 7) })
            // One message between them can't become a row.
            try await pipeline.send([
                ProducerRecord(
                    topic: pipeline.topic, partition: 1, key: Array(Self.passageKey.utf8), value: Array("{".utf8))
            ])
            try await pipeline.send((2_000..<2_010).map { pipeline.passage($0) })
            let result = try await pipeline.catchUp()
            try #require(result.status == 0, "\(result.err)")
            let good = (0..<2_010).filter { !culprits.contains($0) }
            #expect(
                try await pipeline.tally() == Tally(rows: good.count, units: good.count, sum: good.reduce(0, +)))
            #expect(try await pipeline.committed() == pipeline.ends())
            let letters = try await pipeline.table(
                """
                SELECT convert_from(value, 'UTF8')::jsonb ->> 'qls_unit_id', reason FROM dead_letter
                WHERE reason LIKE '%refused%' ORDER BY 1
                """)
            #expect(letters.compactMap { Int($0[0]) }.sorted() == culprits.sorted())
            #expect(letters.allSatisfy { $0[1].contains("zone_is_known") && $0[1].contains("23514") }, "\(letters)")
            #expect(try await pipeline.number("SELECT count(*) FROM dead_letter") == culprits.count + 1)
            let line = try #require(result.out.split(separator: "\n").last)
            #expect(line.contains("\"records\":2011,"))
            #expect(line.contains("\"dead_letters\":6,"))
        }
    }
}
