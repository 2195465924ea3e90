import CommandLineSupport
import Testing

@testable import KafkaWireTool

/// `-s`: keys and values with packed numbers.
@Suite("Packings")
struct PackingTests {
    private func text(_ packing: String, _ bytes: [UInt8]) throws -> String {
        var text: [UInt8] = []
        try unsafe Packing(packing[...], of: "value").append(bytes.span.bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    @Test(
        arguments: [
            ("b", [0xff], "-1"), ("B", [0xff], "255"), ("h", [0xff, 0xfe], "-2"), ("H", [0xff, 0xfe], "65534"),
            (">h", [1, 2], "258"), ("<h", [1, 2], "513"), ("i", [0x80, 0, 0, 0], "-2147483648"),
            ("I", [0x80, 0, 0, 0], "2147483648"), ("<I", [1, 0, 0, 0], "1"),
            ("q", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "-1"),
            ("Q", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "18446744073709551615"),
            ("<q", [0, 0, 0, 0, 0, 0, 0, 0x80], "-9223372036854775808"), ("cc", [0x61, 0x62], "ab"),
            ("Bs", [7, 0x61, 0x62], "7ab"), ("B s$", [7, 0x61], "7 a"), ("<h>h b", [1, 0, 0, 1, 2], "11 2"),
            ("b", [1, 2, 3], "1"), ("b$", [1], "1"), ("s", [], ""), ("$", [], ""),
        ] as [(String, [UInt8], String)])
    func unpacked(packing: String, bytes: [UInt8], expected: String) throws {
        #expect(try text(packing, bytes) == expected)
    }

    @Test(
        arguments: [
            ("i", [1, 2], "the value is too short: 'i' needs 4 bytes, and 2 are left"),
            ("Bc", [1], "the value is too short: 'c' needs 1 byte, and 0 are left"),
            ("b$", [1, 2, 3], "the value should end, but 2 bytes are left"),
        ] as [(String, [UInt8], String)])
    func mismatches(packing: String, bytes: [UInt8], sentence: String) {
        let mismatch = #expect(throws: Packing.Mismatch.self) { try text(packing, bytes) }
        #expect(mismatch?.sentence == sentence)
    }

    @Test(arguments: ["", "x", "i,q", "avro", "<"]) func unknownLetters(packing: String) {
        let failure = #expect(throws: Failure.self) { try Packing(packing[...], of: "key") }
        #expect(failure?.status == .usage)
    }
}
