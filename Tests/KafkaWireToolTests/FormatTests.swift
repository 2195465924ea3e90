import CommandLineSupport
import Foundation
import KafkaFake
import KafkaWire
import Testing

@testable import KafkaWireTool

@Suite("Output", .timeLimit(.minutes(1)))
struct FormatTests {
    /// Sends records to the fake cluster, reads them back, and returns the printed text.
    private func printed(
        _ records: [ProducerRecord], _ style: RecordPrinter.Style, isUnbuffered: Bool = false, limit: Int = .max
    ) async throws -> String {
        let fake = try FakeCluster()
        fake.createTopic("t")
        let client = try KafkaClient(bootstrapServers: fake.bootstrapServers)
        let producer = client.producer()
        for record in records { _ = try await producer.enqueue(record) }
        await producer.close()
        let consumer = client.consumer()
        await consumer.assign([TopicPartition(topic: "t", partition: 0): ConsumerStart(.earliest)])
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        var printer = RecordPrinter(
            style: style, isUnbuffered: isUnbuffered, output: Output(descriptor: descriptor))
        var count = 0
        for try await batch in consumer {
            count += try await printer.print(batch, limit: limit - count).count
            if count >= min(limit, records.count) { break }
        }
        try await printer.flush()
        #expect(printer.isFlushed)
        await consumer.close()
        await client.close()
        await fake.close()
        try pipe.fileHandleForWriting.close()
        return String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }

    private func record(
        _ key: String?, _ value: String?, headers: [RecordHeader] = [], timestamp: Int64 = 1_700_000_000_000
    ) -> ProducerRecord {
        ProducerRecord(
            topic: "t", key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) }, headers: headers,
            timestamp: KafkaTimestamp(millisecondsSince1970: timestamp))
    }

    @Test func everyToken() async throws {
        let format = try OutputFormat("%t|%p|%o|%k|%s|%K|%S|%R|%h|%T|%%|\\t\\n")
        let text = try await printed(
            [
                record("k", "value", headers: [RecordHeader("a", Array("b".utf8)), RecordHeader("c", nil)]),
                record(nil, nil),
                record("", "", timestamp: 7),
            ], .format(format))
        #expect(
            text == """
                t|0|0|k|value|1|5|\0\0\0\u{5}|a=b,c=NULL|1700000000000|%|\t
                t|0|1|||-1|-1|\u{fffd}\u{fffd}\u{fffd}\u{fffd}||1700000000000|%|\t
                t|0|2|||0|0|\0\0\0\0||7|%|\t

                """)
    }

    @Test func nullsAreDistinguishable() async throws {
        let format = try OutputFormat("%k-%s\\x21\\0", null: "NULL")
        #expect(try await printed([record(nil, ""), record("", nil)], .format(format)) == "NULL-!\0-NULL!\0")
    }

    @Test func keyAndDelimiter() async throws {
        let format = OutputFormat(keySeparator: [UInt8(ascii: ":")], delimiter: Array(";\n".utf8))
        #expect(try await printed([record("k", "v"), record(nil, "w")], .format(format)) == "k:v;\n:w;\n")
    }

    @Test(arguments: ["%x", "%", "a\\q", "\\x1", "\\xzz"])
    func unknownTokens(text: String) {
        let failure = #expect(throws: Failure.self) { try OutputFormat(text) }
        #expect(failure?.status == .usage)
    }

    @Test func envelopes() async throws {
        let odd = ProducerRecord(
            topic: "t", key: nil,
            value: Array("\"\\\n\r\t\u{1}é€😀".utf8) + [0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0xf0, 0x9f],
            headers: [RecordHeader("h", Array("1".utf8)), RecordHeader("n", nil)],
            timestamp: KafkaTimestamp(millisecondsSince1970: 5))
        let text = try await printed([record("k", "v"), odd], .json(delimiter: [10]))
        let lines = text.split(separator: "\n")
        #expect(
            lines[0]
                == #"{"topic":"t","partition":0,"offset":0,"tstype":"create","ts":1700000000000,"broker":1,"key":"k","payload":"v"}"#
        )
        let object = try #require(try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as? [String: Any])
        let base64 = try #require((object["payload"] as? [String: String])?["base64"])
        #expect(Data(base64Encoded: base64) == Data(odd.value ?? []))
        #expect(object["key"] is NSNull)
        #expect(object["ts"] as? Int == 5)
        #expect((object["headers"] as? [Any])?.count == 4)
    }

    @Test func limitsAndUnbufferedWrites() async throws {
        let records = (0..<100).map { record(nil, "\($0)") }
        let format = OutputFormat(keySeparator: nil, delimiter: [10])
        let expected = (0..<42).map { "\($0)\n" }.joined()
        #expect(try await printed(records, .format(format), limit: 42) == expected)
        #expect(try await printed(records, .format(format), isUnbuffered: true, limit: 42) == expected)
    }

    @Test(arguments: [0, 7, -7, 1_234_567_890, Int64.max, .min])
    func decimals(number: Int64) {
        var text: [UInt8] = [65]
        text.append(decimal: number)
        #expect(String(decoding: text, as: UTF8.self) == "A\(number)")
    }
}
