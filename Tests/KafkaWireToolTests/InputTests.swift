import CommandLineSupport
import KafkaWire
import Testing

@testable import KafkaWireTool

@Suite("Input")
struct InputTests {
    /// Splits a text that arrives in chunks of `size` bytes into messages.
    private func messages(_ text: String, delimiter: String = "\n", size: Int) throws -> [String] {
        var splitter = MessageSplitter(delimiter: Array(delimiter.utf8))
        var found: [String] = []
        func take() {
            while let range = splitter.next() {
                found.append(String(repairing: splitter.bytes.extracting(range)))
            }
        }
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            try splitter.append(Array(bytes[start..<min(start + size, bytes.count)]))
            take()
        }
        splitter.finish()
        take()
        return found
    }

    @Test(arguments: 1...8)
    func linesInPieces(size: Int) throws {
        #expect(try messages("one\ntwo\n\nfour", size: size) == ["one", "two", "", "four"])
        #expect(try messages("one\n", size: size) == ["one"])
        #expect(try messages("", size: size).isEmpty)
        #expect(try messages("a--b-c--", delimiter: "--", size: size) == ["a", "b-c"])
        #expect(try messages("a---b", delimiter: "--", size: size) == ["a", "-b"])
    }

    @Test func keysAndNulls() throws {
        func fields(_ text: String, _ arguments: String...) throws -> [String?] {
            let options = try MessageOptions(["-P", "-t", "t"] + arguments, isInputTerminal: false)
            let bytes = Array(text.utf8)
            let fields = unsafe MessageShape(options).fields(of: 0..<bytes.count, in: bytes.span.bytes)
            return [fields.key, fields.value].map { $0.map { String(decoding: bytes[$0], as: UTF8.self) } }
        }
        #expect(try fields("k:v") == [nil, "k:v"])
        #expect(try fields("k:v:w", "-K:") == ["k", "v:w"])
        #expect(try fields("kv", "-K:") == [nil, "kv"])
        #expect(try fields("k=>v", "-K=>") == ["k", "v"])
        #expect(try fields(":", "-K:") == ["", ""])
        #expect(try fields(":", "-K:", "-Z") == [nil, nil])
        #expect(try fields("", "-Z") == [nil, nil])
        #expect(try fields("") == [nil, ""])
    }
}

extension String {
    fileprivate init(repairing bytes: RawSpan) {
        var copy: [UInt8] = []
        copy.append(contentsOf: bytes)
        self.init(decoding: copy, as: UTF8.self)
    }
}
