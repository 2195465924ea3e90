import CommandLineSupport
import Foundation
import KafkaWire
import Testing

@testable import KafkaWireTool

/// Escaping of bytes and names that would control the terminal.
@Suite struct ForeignTextTests {
    private static let attack = "\u{1b}[2J\u{9b}31m\u{202e}\u{2028}\u{61c}\u{7f}é"

    @Test func jsonOfRecordsHasNoControl() throws {
        var text: [UInt8] = []
        let isText = text.append(quoting: ByteSlice(Array(Self.attack.utf8)).span)
        #expect(isText)
        let json = String(decoding: text, as: UTF8.self)
        #expect(json == #""\u001b[2J\u009b31m\u202e\u2028\u061c\u007fé""#)
        let read = try JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed) as? String
        #expect(read == Self.attack)
    }

    /// The writer for records and the writer for names escape every scalar in the same way.
    @Test func bothWritersOfJSONEscapeTheSame() {
        for value in UInt32(0)...0x2fff {
            guard let scalar = Unicode.Scalar(value) else { continue }
            var text: [UInt8] = []
            let isText = text.append(quoting: ByteSlice(Array(String(scalar).utf8)).span)
            #expect(isText)
            #expect(String(decoding: text, as: UTF8.self) == JSONValue.string(String(scalar)).text)
        }
    }

    @Test func tableCellsStayOnTheirLine() {
        var table = TextTable(["NAME", "N"])
        table.add(["a\n\u{1b}[1A\(Self.attack)", "1"])
        #expect(table.lines.count == 2)
        #expect(table.lines[1].contains("a\\n\\x1b[1A\\x1b[2J"))
    }
}
