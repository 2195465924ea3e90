import PGWire
import Testing

@Suite struct PostgresTextTests {
    /// After U+0600, a quote isn't a `Character` of its own.
    @Test func quotesAreDoubledAfterAnyCharacter() {
        #expect(PostgresText.quotedIdentifier("a\"b") == "\"a\"\"b\"")
        let crafted = "a\u{600}\"; DROP TABLE t; --"
        #expect(PostgresText.quotedIdentifier(crafted).unicodeScalars.count { $0 == "\"" } == 4)
        #expect(PostgresText.escaping(["\\", "'"], in: "\u{600}'\\", with: "\\") == "\u{600}\\'\\\\")
    }
}
