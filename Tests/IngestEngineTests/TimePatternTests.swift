import Testing

@testable import IngestEngine

@Suite struct TimePatternTests {
    @Test("a pattern consists of fields and the text between them")
    func elements() throws {
        #expect(
            try TimePattern("dd.MM.yyyy'T'HH:mm:ss.SSSX").elements == [
                .field(.day, digits: 2), .literal([0x2e]), .field(.month, digits: 2), .literal([0x2e]),
                .field(.year, digits: 4), .literal([0x54]), .field(.hour, digits: 2), .literal([0x3a]),
                .field(.minute, digits: 2), .literal([0x3a]), .field(.second, digits: 2), .literal([0x2e]),
                .fraction(digits: 3), .offset,
            ])
        #expect(try TimePattern("yyyy'''o''clock'MMd").elements[1] == .literal(Array("'o'clock".utf8)))
        #expect(try TimePattern("H:m").elements.first == .field(.hour, digits: 1))
    }

    @Test(
        "an incomplete or invalid pattern is refused",
        arguments: [
            "", "-", "yyyy", "yyyy-MM", "dd.MM", "MM.dd HH", "yyyy-MM-dd mm", "HH:ss", "ss", "yyyy-MM-dd-dd",
            "yy-MM-dd", "yyyy-MM-dd hh", "yyyy-MM-dd HH:mm.SSS", "yyyy-MM-dd HH:mm:ss.S.S", "yyyy-MM-dd 'x",
        ])
    func refused(_ text: String) {
        #expect(throws: TimePatternError.self) { try TimePattern(text) }
    }
}
