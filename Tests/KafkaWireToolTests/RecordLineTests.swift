import Foundation
import KafkaWire
import TestSupport
import Testing

@testable import KafkaWireTool

@Suite("Lines of a dump")
struct RecordLineTests {
    private func read(_ text: [UInt8]) throws -> RecordLine {
        var line = RecordLine()
        try unsafe line.read(text.span.bytes)
        return line
    }

    private func read(_ text: String) throws -> RecordLine { try read(Array(text.utf8)) }

    private func text(_ range: Range<Int>?, of line: RecordLine) -> String? {
        range.map { String(decoding: line.bytes[$0], as: UTF8.self) }
    }

    @Test func aLineFromKcat() throws {
        let line = try read(
            #"{"topic":"t","partition":3,"offset":9,"tstype":"create","ts":1700000000000,"broker":1,"#
                + #""headers":["a","1","a",null],"key":null,"payload":"x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00€"}"#)
        #expect(text(line.topic, of: line) == "t")
        #expect(line.partition == 3)
        #expect(line.timestamp == 1_700_000_000_000)
        #expect(line.key == nil)
        #expect(text(line.value, of: line) == "x\"\\/\u{8}\u{c}\n\r\té😀€")
        #expect(line.headers.map { text($0.name, of: line) } == ["a", "a"])
        #expect(line.headers.map { text($0.value, of: line) } == ["1", nil])
    }

    @Test func optionalMembers() throws {
        let line = try read(" { \"payload\" : \"\" , \"more\" : [ { \"a\" : -1.5e+3 } , [ ] , true ] } \r")
        #expect(line.topic == nil && line.partition == nil && line.timestamp == nil && line.key == nil)
        #expect(line.value?.isEmpty == true)
        #expect(line.headers.isEmpty)
        #expect(try read(#"{"payload":null,"ts":null,"headers":null}"#).value == nil)
        #expect(try read(#"{"payload":null,"headers":[]}"#).headers.isEmpty)
    }

    @Test func bytesThatAreNotUTF8() throws {
        let line = try read(
            #"{"key":{ "base64" : "\/wA=" },"payload":{"base64":""},"headers":["h",{"base64":"/w=="}]}"#)
        #expect(line.key.map { Array(line.bytes[$0]) } == [0xff, 0])
        #expect(line.value?.isEmpty == true)
        #expect(line.headers[0].value.map { Array(line.bytes[$0]) } == [0xff])
        // kcat writes such bytes unchanged.
        let raw = try read(Array(#"{"payload":""#.utf8) + [0xff, 0xc3, 0x28] + Array("\"}".utf8))
        #expect(raw.value.map { Array(raw.bytes[$0]) } == [0xff, 0xc3, 0x28])
    }

    @Test(arguments: [
        ("", "an object is expected, but the line ends"), ("[]", "an object is expected at byte 1"),
        ("null", "an object is expected"), ("{", "the name of a member is expected, but the line ends"),
        ("{}", "it has no \"payload\""), (#"{"key":"k"}"#, "it has no \"payload\""),
        (#"{"payload":"x""#, "a comma or } is expected, but the line ends"),
        (#"{"payload":"x"#, "a string has no closing quote, but the line ends"),
        (#"{"payload":"x\"#, "a string ends with a backslash"), (#"{"payload""#, "a colon is expected"),
        (#"{"payload":"x",}"#, "the name of a member is expected"), (#"{"payload":"x"} {"#, "nothing more is expected"),
        (#"{"payload":"x"}}"#, "nothing more is expected"), (#"{payload:"x"}"#, "the name of a member is expected"),
        (#"{"payload":5}"#, "\"payload\" has to be a string, null or"),
        (#"{"payload":["x"]}"#, "\"payload\" has to be"),
        (#"{"payload":true}"#, "\"payload\" has to be"), (#"{"payload":nul}"#, "\"payload\" has to be"),
        (#"{"payload":{"x":1}}"#, "the object in \"payload\" has to be"),
        (#"{"payload":{"base64":null}}"#, "the object in \"payload\" has to be"),
        (#"{"payload":{"base64":"AA==","x":1}}"#, "the object in \"payload\" has to be"),
        (#"{"payload":{"base64":"AA"}}"#, "the base64 in \"payload\" is not valid"),
        (#"{"payload":{"base64":"A==="}}"#, "the base64 in \"payload\" is not valid"),
        (#"{"payload":{"base64":"AB=="}}"#, "the base64 in \"payload\" is not valid"),
        (#"{"payload":{"base64":"A_=="}}"#, "the base64 in \"payload\" is not valid"),
        (#"{"payload":{"base64":"AA==AAAA"}}"#, "the base64 in \"payload\" is not valid"),
        (#"{"key":{"base64":"!"},"payload":""}"#, "the base64 in \"key\" is not valid"),
        (#"{"payload":"\ud800"}"#, "half of a surrogate pair"), (#"{"payload":"\udc00"}"#, "half of a surrogate pair"),
        (#"{"payload":"\ud800x"}"#, "half of a surrogate pair"),
        (#"{"payload":"\ud800\ud800"}"#, "half of a surrogate pair"),
        (#"{"payload":"\u12"}"#, "four hexadecimal digits"),
        (#"{"payload":"\u12g4"}"#, "four hexadecimal digits"), (#"{"payload":"\x"}"#, "an unknown escape"),
        ("{\"payload\":\"a\tb\"}", "a control character"), (#"{"topic":5,"payload":""}"#, "\"topic\" has to be"),
        (#"{"topic":null,"payload":""}"#, "its \"topic\" is not a name"),
        (#"{"topic":"","payload":""}"#, "its \"topic\" is not a name"),
        (#"{"partition":"0","payload":""}"#, "\"partition\" has to be a whole number"),
        (#"{"partition":-1,"payload":""}"#, "its \"partition\" is not a number from 0"),
        (#"{"partition":2147483648,"payload":""}"#, "its \"partition\" is not a number from 0"),
        (#"{"partition":null,"payload":""}"#, "its \"partition\" is not a number from 0"),
        (#"{"ts":9223372036854775808,"payload":""}"#, "its \"ts\" is beyond the numbers of 64 bits"),
        (#"{"ts":-9223372036854775809,"payload":""}"#, "its \"ts\" is beyond the numbers of 64 bits"),
        (#"{"ts":100000000000000000000000000,"payload":""}"#, "its \"ts\" is beyond the numbers of 64 bits"),
        (#"{"ts":1.5,"payload":""}"#, "\"ts\" has to be a whole number"),
        (#"{"ts":1e3,"payload":""}"#, "\"ts\" has to be a whole number"),
        (#"{"ts":007,"payload":""}"#, "\"ts\" has to be a whole number"),
        (#"{"ts":-,"payload":""}"#, "\"ts\" has to be a whole number"),
        (#"{"headers":{},"payload":""}"#, "\"headers\" has to be an array"),
        (#"{"headers":["a"],"payload":""}"#, "\"headers\" has a name without a value"),
        (#"{"headers":[null,"a"],"payload":""}"#, "a header has null for its name"),
        (#"{"headers":["a",5],"payload":""}"#, "\"headers\" has to be a string"),
        (#"{"payload":"","payload":""}"#, "it has \"payload\" twice"),
        (#"{"payload":"","offset":1,"offset":1}"#, "it has \"offset\" twice"),
        (#"{"payload":"","key":null,"ke\u0079":null}"#, "it has \"key\" twice"),
        (#"{"payload":null,"payload_error":"x"}"#, "it has \"payload_error\""),
        (#"{"payload":"","x":}"#, "a value is expected"),
    ])
    func badLines(text: String, sentence: String) {
        let problem = #expect(throws: RecordLine.Problem.self) { try read(text) }
        #expect(problem?.sentence.contains(sentence) == true, "\(text): \(problem?.sentence ?? "")")
    }

    @Test func deepValuesAreRefused() {
        let deep = #"{"payload":"","x":"# + String(repeating: "[", count: 100_000)
        #expect(throws: RecordLine.Problem.self) { try read(deep) }
    }

    @Test(arguments: [Int64.min, .min + 1, -1, 0, 1, .max]) func anyTimestamp(number: Int64) throws {
        #expect(try read("{\"ts\":\(number),\"payload\":\"\"}").timestamp == number)
    }

    /// Parsing a damaged line returns a record or throws a problem; it never traps.
    @Test func damagedLines() throws {
        var random = SeededRandom(seed: 7)
        let good = Array(
            (#"{"topic":"t","partition":3,"ts":17,"headers":["a",{"base64":"/w=="}],"key":"\u00e9\ud83d\ude00","#
                + #""payload":"x\n"}"#).utf8)
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(.random(in: 0...255, using: &random), at: place)
                case 2: bytes.removeSubrange(place...)
                default: bytes[place] = .random(in: 0...255, using: &random)
                }
                if bytes.isEmpty { break }
            }
            var line = RecordLine()
            do throws(RecordLine.Problem) {
                try unsafe line.read(bytes.span.bytes)
                for range in [line.key, line.value, line.topic].compactMap(\.self) {
                    #expect(range.upperBound <= line.bytes.count)
                }
            } catch {
                #expect(!error.sentence.isEmpty)
            }
        }
    }

    /// Any bytes survive writing and reading, and the written line is valid JSON for other parsers.
    @Test func anyBytesSurvive() throws {
        var random = SeededRandom(seed: 11)
        let pieces: [[UInt8]] = [
            Array("é€😀\u{2028}\u{61c}\u{9b}\u{7f}\"\\/\n\t\u{0}".utf8), [0xff], [0xc3], [0xed, 0xa0, 0x80],
            [0xf0, 0x9f],
            Array("plain text of more than eight letters".utf8), [0x1f], [0x20],
        ]
        for round in 0..<5_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                if Bool.random(using: &random) {
                    bytes += pieces.randomElement(using: &random) ?? []
                } else if round % 2 == 0 {
                    bytes += (0..<Int.random(in: 0...20, using: &random)).map { _ in
                        .random(in: 0...255, using: &random)
                    }
                } else {
                    bytes += (0..<Int.random(in: 0...20, using: &random)).map { _ in
                        .random(in: 0...127, using: &random)
                    }
                }
            }
            var text = Array(#"{"payload":"#.utf8)
            unsafe text.append(json: bytes.span.bytes)
            text += Array("}".utf8)
            let line = try read(text)
            #expect(line.value.map { Array(line.bytes[$0]) } == bytes)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
            if let string = object["payload"] as? String {
                #expect(Array(string.utf8) == bytes)
            } else {
                let base64 = try #require((object["payload"] as? [String: String])?["base64"])
                #expect(Data(base64Encoded: base64) == Data(bytes))
            }
        }
    }
}
