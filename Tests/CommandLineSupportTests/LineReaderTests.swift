import CommandLineSupport
import Foundation
import Testing

@Suite struct LineReaderTests {
    private func withFile<Result>(_ content: String, _ body: (String) throws -> Result) throws -> Result {
        let path = FileManager.default.temporaryDirectory.appending(path: "lines-\(UUID()).txt").path
        try Data(content.utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    private func lines(_ path: String) throws -> [String] {
        var reader = try LineReader(path: path)
        var lines: [String] = []
        while try reader.next() {
            let line = reader.line
            lines.append(String(decoding: line.indices.map { line[$0] }, as: UTF8.self))
            #expect(reader.lineNumber == lines.count)
        }
        return lines
    }

    @Test(arguments: [
        ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\r\nb\r\n", ["a", "b"]), ("\n\nx", ["", "", "x"]), ("\r", [""]),
        ("a\rb\n", ["a\rb"]),
    ])
    func ends(content: String, expected: [String]) throws {
        #expect(try withFile(content, lines) == expected)
    }

    @Test func linesAcrossTheBuffersEnd() throws {
        let expected = (0..<5000).map { String(repeating: "x", count: $0 % 97) + "\($0)" }
        #expect(try withFile(expected.joined(separator: "\r\n"), lines) == expected)
    }

    @Test func aLongLineFitsAndOneThatNeverEndsIsRefused() throws {
        let long = String(repeating: "y", count: 100_000)
        #expect(try withFile("a\n\(long)\nb\n", lines) == ["a", long, "b"])
        let failure = #expect(throws: Failure.self) {
            try withFile("a\n" + String(repeating: "y", count: 1 << 21), lines)
        }
        #expect(failure?.status == .badData)
        #expect(failure?.sentence.contains("line 2") == true)
    }

    @Test func unreadableFiles() throws {
        let missing = #expect(throws: Failure.self) { try lines("/nowhere/at/all.csv") }
        #expect(missing?.status == .noInput)
        #expect(missing?.sentence == "/nowhere/at/all.csv can't be read: No such file or directory")
        #expect(#expect(throws: Failure.self) { try lines("/") }?.status == .noInput)
    }
}
