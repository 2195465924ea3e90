import Foundation
import KafkaWire
import PGWire
import Testing

@testable import IngestEngine

@Suite("Dead letters")
struct DeadLetterTests {
    /// The dead letter rows of records, in COPY's binary format.
    private func rows(_ samples: [SampleRecord], reason: String, group: String? = "g") throws -> [UInt8] {
        let batch = try recordBatch(samples)
        var rows = CopyBuffer()
        var records = batch.makeIterator()
        while let record = try records.next() {
            let letter = DeadLetter(
                record, topic: batch.topic, partition: batch.partition, reason: reason, group: group)
            letter.append(to: &rows, key: record.key, value: record.value)
        }
        let isWhole = rows.rowCount == samples.count && !rows.hasOpenRow
        #expect(isWhole)
        return unsafe rows.bytes.withUnsafeBytes { unsafe Array($0) }
    }

    private static let null: [UInt8] = [0xff, 0xff, 0xff, 0xff]

    private func field(_ bytes: [UInt8]) -> [UInt8] {
        (0..<4).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) } + bytes
    }

    /// The column count, and the first record's topic, partition and offset.
    private var place: [UInt8] {
        [0, 9] + field(Array("t".utf8)) + field([0, 0, 0, 3]) + field([0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test func aLetterContainsTheRecord() throws {
        let sample = SampleRecord(
            key: "press", value: nil,
            headers: [
                RecordHeader("a", Array("text".utf8)), RecordHeader("a", nil), RecordHeader("b", [0xff]),
                RecordHeader("c", [0x41, 0x00]), RecordHeader("d\0", []),
            ],
            timestamp: 946_684_800_001)
        let headers =
            #"[{"name":"a","value":"text"},{"name":"a","value":null},{"base64":"\/w==","name":"b"},"#
            + #"{"base64":"QQA=","name":"c"},{"name":"d"# + "\u{fffd}" + #"","value":""}]"#
        // 1 ms after the start of 2000; a key; no value.
        var expected = place + field([0, 0, 0, 0, 0, 0, 3, 0xe8]) + field(Array("press".utf8)) + Self.null
        // jsonb begins with its version.
        expected += field([1] + Array(headers.utf8)) + field(Array("a reason".utf8)) + field(Array("g".utf8))
        #expect(try rows([sample], reason: "a reason") == expected)
    }

    @Test func missingPartsAreNull() throws {
        let sample = SampleRecord(key: nil, value: "", timestamp: -1)
        #expect(
            try rows([sample], reason: "r", group: nil)
                == place + Self.null + Self.null + field([]) + Self.null + field(Array("r".utf8)) + Self.null)
    }

    @Test func aTimestampOutOfRangeIsNull() throws {
        let sample = SampleRecord(value: nil, timestamp: .max)
        let bytes = try rows([sample], reason: "r")
        #expect(Array(bytes[place.count..<place.count + 4]) == Self.null)
    }

    @Test func aReasonHasNoNUL() throws {
        let bytes = try rows([SampleRecord()], reason: "a\0b", group: nil).dropLast(4)
        let reason = Array("a\u{fffd}b".utf8)
        #expect(Array(bytes.suffix(reason.count + 4)) == field(reason))
        // Followed by a combining mark, a NUL is another `Character`, but still a NUL.
        let marked = Array("a\u{fffd}\u{301}b".utf8)
        let other = try rows([SampleRecord()], reason: "a\0\u{301}b", group: nil).dropLast(4)
        #expect(Array(other.suffix(marked.count + 4)) == field(marked))
    }
}
