import CommandLineSupport
import Foundation
import Testing

@Suite struct NumbersTests {
    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-12345, "-12,345")])
    func grouped(number: Int, text: String) {
        #expect(Numbers.grouped(number) == text)
    }

    @Test func groupedAtTheEnds() {
        #expect(Numbers.grouped(.max) == "9,223,372,036,854,775,807")
        #expect(Numbers.grouped(.min) == "-9,223,372,036,854,775,808")
    }

    @Test(arguments: [
        (0.0, "0"), (7, "7"), (2.5, "2.50"), (999, "999"), (999.7, "1.00 k"), (12_345, "12.3 k"),
        (1_234_567, "1.23 M"), (999_900, "1.00 M"), (5e15, "5000 T"), (.infinity, "? T"), (.nan, "?"),
    ])
    func short(number: Double, text: String) {
        #expect(Numbers.short(number) == text)
    }

    @Test func withUnits() {
        #expect(Numbers.rate(1_200_000) == "1.20 M/s")
        #expect(Numbers.bytes(512) == "512 B")
        #expect(Numbers.bytes(123_456_789) == "123 MB")
        #expect(Numbers.seconds(0.354) == "0.35 s")
        #expect(Numbers.seconds(12.34) == "12.3 s")
        #expect(Numbers.seconds(125) == "2 min 05 s")
        #expect(Numbers.seconds(12_000) == "3 h 20 min")
        #expect(Numbers.seconds(.infinity) == "?")
        #expect(Numbers.fixed(-0.001, decimals: 2) == "0.00")
        #expect(Numbers.fixed(-1.005, decimals: 1) == "-1.0")
    }
}

@Suite struct JSONValueTests {
    @Test func membersKeepTheirOrder() {
        let value: JSONValue = ["z": 1, "a": 2.5, "rows": ["ucp": 10, "uc": 2], "list": [true, nil, "x"]]
        #expect(value.text == #"{"z":1,"a":2.5,"rows":{"ucp":10,"uc":2},"list":[true,null,"x"]}"#)
    }

    @Test func numbers() {
        #expect(JSONValue.integer(.max).text == "9223372036854775807")
        #expect(JSONValue.number(3).text == "3")
        #expect(JSONValue.number(.nan).text == "null")
        #expect(JSONValue.rounded(1.23456, decimals: 3).text == "1.235")
        #expect(JSONValue.rounded(.infinity, decimals: 3).text == "null")
    }

    @Test(
        "the distance between offsets cannot overflow",
        arguments: [
            (Int64(3), Int64(7), Int64(4)), (7, 3, 0), (0, .max, .max), (.max, .min, 0), (.min, .max, .max), (-1, 5, 5),
            (5, -1, 0), (.min, .min, 0),
        ])
    func distance(first: Int64, end: Int64, distance: Int64) {
        #expect(Numbers.distance(from: first, to: end) == distance)
    }

    @Test func stringsComeBackFromFoundation() throws {
        let string = "q\"b\\s/\u{0}\u{1f}\n\r\t ü 🏭 \u{2028}"
        let text = JSONValue.array([.string(string)]).text
        #expect(try JSONDecoder().decode([String].self, from: Data(text.utf8)) == [string])
        #expect(!text.contains("\n"))
    }
}
