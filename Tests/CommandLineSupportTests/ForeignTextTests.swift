import CommandLineSupport
import Concurrency
import Foundation
import Testing

@Suite struct ForeignTextTests {
    @Test(arguments: [
        ("plain text, Größe ✓ 日本 👍🏽", "plain text, Größe ✓ 日本 👍🏽"), ("", ""),
        ("\u{1b}]0;owned\u{7}", "\\x1b]0;owned\\x07"), ("a\u{0}b\u{7f}", "a\\x00b\\x7f"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"), ("\u{9b}31m\u{85}", "\\u{9b}31m\\u{85}"),
        (
            "\u{202e}txt.exe\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}",
            "\\u{202e}txt.exe\\u{2066}\\u{2069}\\u{200e}\\u{200f}\\u{61c}"
        ),
        ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
        // Combined with the preceding or following scalar into one character.
        ("\u{1b}\u{301}x\u{9b}\u{301}", "\\x1b\u{301}x\\u{9b}\u{301}"), ("\u{600}\u{1b}[2J", "\u{600}\\x1b[2J"),
        ("C:\\new", "C:\\new"),
    ])
    func controlsAreVisible(text: String, shown: String) {
        #expect(ForeignText.visible(text) == shown)
        #expect(ForeignText.visible(shown) == shown)
    }

    @Test func everyControlIsEscaped() {
        for value in UInt32(0)...0x2100 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let isControl = scalar.properties.generalCategory == .control || scalar.properties.isBidiControl
            let isSeparator = [.lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
            let shown = ForeignText.visible(String(scalar))
            #expect((shown != String(scalar)) == (isControl || isSeparator), "U+\(String(value, radix: 16))")
            #expect(ForeignText.isHidden(scalar) == (isControl || isSeparator))
        }
    }

    @Test func layoutIsKeptOnRequest() {
        #expect(ForeignText.visible("a\tb\r\n\u{1b}[1mc\n", keepingLayout: true) == "a\tb\\r\n\\x1b[1mc\n")
    }

    @Test func invalidUTF8IsReplaced() {
        #expect(
            ForeignText.visible(String(decoding: [0x61, 0x9b, 0xff] as [UInt8], as: UTF8.self)) == "a\u{fffd}\u{fffd}")
    }

    @Test func outputEscapesTextAndNoBytes() async throws {
        let pipe = Pipe()
        let output = Output(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        try await output.write("topic\t\u{1b}[2J\u{9b}\n")
        output.post(line: "broker says:\n\u{1b}c")
        try await output.write([0x1b, 0x63, 0x0a])
        await output.flush()
        let expected = "topic\t\\x1b[2J\\u{9b}\nbroker says:\\n\\x1bc\n\u{1b}c\n"
        #expect(String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self) == expected)
    }

    @Test func theStatusLineEscapesItsTexts() {
        let written = Lock("")
        let line = StatusLine(
            isTerminal: true, columns: { 20 }, now: { .now }, write: { text in written.withLock { $0 += text } })
        line.message("a\u{1b}[2J\nb")
        line.update { "\u{9b}\u{202e}0123456789" }
        #expect(written.withLock { $0 } == "a\\x1b[2J\\nb\n\r\u{1b}[K\\u{9b}\\u{202e}01234")
    }

    @Test func jsonHasNoControlEither() throws {
        let text = "\u{1b}\u{7f}\u{9b}\u{202e}\u{2028}\u{61c}é"
        let json = JSONValue.object([.init(text, .string(text))]).text
        #expect(json == #"{"\u001b\u007f\u009b\u202e\u2028\u061cé":"\u001b\u007f\u009b\u202e\u2028\u061cé"}"#)
        let read = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: String]
        #expect(read == [text: text])
    }
}
