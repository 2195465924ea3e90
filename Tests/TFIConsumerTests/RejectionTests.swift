import PGWire
import Testing

@testable import TFIConsumer

@Suite("Messages that can't be rows")
struct RejectionTests {
    /// The reason for which a value is rejected, nil where it is a row.
    private func reason(_ json: String) -> String? { reason(Array(json.utf8)) }

    private func reason(_ value: [UInt8]?) -> String? {
        if case .rejected(let reason) = mapPassage(value) { reason } else { nil }
    }

    @Test func aMessageHasAKnownKeyAndAValue() {
        var mapper = RowMapper()
        let value = Array(Passage().json.utf8)
        #expect(mapper.map(key: nil, value: value) == .rejected("the key is missing"))
        #expect(mapper.map(key: [], value: value) == .rejected("the key '' is not known"))
        #expect(mapper.map(key: Array("press".utf8), value: value) == .rejected("the key 'press' is not known"))
        #expect(
            mapper.map(key: Array("unit_collection_point ".utf8), value: value)
                == .rejected("the key 'unit_collection_point ' is not known"))
        #expect(
            mapper.map(key: [0x00, 0xff, 0x41], value: value) == .rejected("the key '\\x00\u{fffd}A' is not known"))
        #expect(
            mapper.map(key: Array(repeating: 0x6b, count: 1000), value: value)
                == .rejected("the key '\(String(repeating: "k", count: 60))…' is not known"))
        #expect(reason(nil) == "the value is missing")
    }

    @Test func nothingShorterThanTheMessageIsOne() {
        let json = Array(Passage(zone: "23").json.utf8)
        for count in 0..<json.count {
            let reason = self.reason(Array(json.prefix(count)))
            #expect(reason?.hasPrefix("the value is not JSON: ") == true, "\(count) bytes: \(reason ?? "a row")")
        }
        #expect(reason(json) == nil)
    }

    @Test func nothingMayFollow() {
        for more in ["x", "{}", ",", "}", "\"", "0", "\u{0}", Passage().json] {
            #expect(
                reason(Passage().json + " " + more)
                    == "the value is not JSON: something follows the object at byte \(Passage().json.utf8.count + 1)")
        }
    }

    @Test func onlyAnObjectIsAMessage() {
        for value in ["[]", "[{}]", "1", "-2.5e3", "\"text\"", "null", "true", " false "] {
            #expect(reason(value) == "the value is JSON, but not an object", "\(value)")
        }
        for value in [
            "", " ", "nul", "tru", "nulll", "-", "1.", "01", "1e", "'x'", "x", "\u{feff}{}", "[1,]", "[", "NaN",
        ] {
            #expect(
                reason(value)?.hasPrefix("the value is not JSON: ") == true, "\(value): \(reason(value) ?? "a row")")
        }
    }

    @Test func theObjectHasToBeWellFormed() {
        let wrong = [
            ("{,}", "a string is expected"), ("{\"a\"}", "a colon is expected after a field's name"),
            ("{\"a\":}", "a value is expected"), ("{\"a\":1,}", "a string is expected"),
            ("{\"a\":1 \"b\":2}", "a comma or a closing brace is expected"), ("{a:1}", "a string is expected"),
            ("{\"a\":01}", "a number begins with a zero"), ("{\"a\":1.}", "a number ends in a point"),
            ("{\"a\":1e+}", "a number's exponent has no digits"), ("{\"a\":+1}", "a value is expected"),
            ("{\"a\":.5}", "a value is expected"), ("{\"a\":\"\\x\"}", "there is no such escape in a string"),
            ("{\"a\":\"\\u12g4\"}", "an escape in a string isn't four hexadecimal digits"),
            ("{\"a\":\"\u{1}\"}", "a control character stands in a string"),
            ("{\"a\":\"\u{0}\"}", "a control character stands in a string"),
            ("{\"a\":\"\n\"}", "a control character stands in a string"),
            ("{\"a\":[1 2]}", "a comma or a closing bracket is expected"), ("{\"a\":\"", "a string doesn't end"),
        ]
        for (json, problem) in wrong {
            #expect(reason(json)?.hasPrefix("the value is not JSON: \(problem) at byte ") == true, "\(json)")
        }
        #expect(reason("{}") == "the field qls_unit_id is missing")
    }

    @Test func textHasToBeUTF8() {
        for bytes: [UInt8] in [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]] {
            let value = Array("{\"a\":\"".utf8) + bytes + Array("\",".utf8) + Array(Passage().json.utf8).dropFirst()
            #expect(reason(value)?.hasPrefix("the value is not JSON: a string isn't UTF-8 at byte") == true)
            let name = Array("{\"".utf8) + bytes + Array("\":1,".utf8) + Array(Passage().json.utf8).dropFirst()
            #expect(reason(name)?.hasPrefix("the value is not JSON: a string isn't UTF-8 at byte") == true)
        }
    }

    @Test func everyFieldHasToBeThere() {
        for name in ["qls_unit_id", "unit_collection_pt_timestamp", "collection_point_id", "zone_id"] {
            let json = Passage().json.replacing("\"\(name)\"", with: "\"another\"")
            #expect(reason(json) == "the field \(name) is missing")
        }
    }

    @Test func anIntegerIsAWholeNumberInRange() {
        for text in ["null"] {
            #expect(reason(Passage(zone: text).json) == "the field zone_id is not an integer: null")
        }
        for text in ["\"23\"", "1.0", "1e3", "-1.5", "true", "[]", "{}", "[23]", "0.0", "1E0"] {
            #expect(reason(Passage(zone: text).json) == "the field zone_id is not an integer: '\(text)'")
        }
        for text in [
            "2147483648", "-2147483649", "9999999999", "9223372036854775807", "9223372036854775808",
            "-9223372036854775809", "100000000000000000000000",
        ] {
            #expect(reason(Passage(unit: text).json) == "the field qls_unit_id is out of range: '\(text)'")
        }
        for text in ["00", "01", "-01", "007", "-", "--1", "0x10", "1_000", "1.", ".1", "1e", "+1"] {
            #expect(reason(Passage(unit: text).json)?.hasPrefix("the value is not JSON: ") == true, "\(text)")
        }
    }

    @Test func aTimestampIsATextOfItsForm() {
        for text in ["null", "1710230406", "true", "[]", "{}", "1.5"] {
            #expect(
                reason(Passage(time: text).json) == "the field unit_collection_pt_timestamp is not a text: '\(text)'")
        }
        for text in ["", "2024-03-12", "2024-03-12 08:00:06.1 ", "2024-03-12 08:00:06Z", "\\u0000"] {
            #expect(
                reason(Passage(time: "\"\(text)\"").json)
                    == "the field unit_collection_pt_timestamp is not a time as yyyy-MM-dd HH:mm:ss.S that exists: "
                    + "'\"\(text)\"'")
        }
    }

    @Test func depthIsLimited() {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            let value = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            return "{\"a\":\(value),\(Passage().json.dropFirst())"
        }
        #expect(reason(nested(60, "[", "]")) == nil)
        #expect(reason(nested(60, "{\"a\":", "}")) == nil)
        for json in [
            nested(100_000, "[", "]"), nested(100_000, "{\"a\":", "}"), String(repeating: "[", count: 1 << 20),
        ] {
            #expect(
                reason(json)?.hasPrefix("the value is not JSON: objects and arrays lie too deep in each other") == true)
        }
    }

    @Test func aReasonStaysShort() throws {
        let long = String(repeating: "9", count: 1 << 20)
        for json in [Passage(zone: long).json, Passage(zone: "\"\(long)\"").json, Passage(time: "\"\(long)\"").json] {
            let text = try #require(self.reason(json))
            #expect(text.utf8.count < 250)
        }
        // A long text in a field that nobody reads is no hindrance.
        #expect(reason("{\"a\":\"\(long)\",\(Passage().json.dropFirst())") == nil)
    }
}
