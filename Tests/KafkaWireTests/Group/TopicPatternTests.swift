import Testing

@testable import KafkaWire

@Suite struct TopicPatternTests {
    @Test func aPatternIsCompiled() throws {
        let regex = try #require(TopicPattern.regex("orders(-[0-9]+)?"))
        #expect(try regex.wholeMatch(in: "orders-12") != nil && regex.wholeMatch(in: "borders") == nil)
        #expect(TopicPattern.regex("(a") == nil)
    }

    /// It would exhaust the stack.
    @Test(arguments: ["(", "[", "(?:"]) func deepPatternsAreRefused(opening: String) {
        #expect(TopicPattern.regex(String(repeating: opening, count: 100_000)) == nil)
    }

    @Test func manyGroupsSideBySideAreTaken() {
        func pattern(_ count: Int) -> String { repeatElement("(a)", count: count).joined(separator: "|") }
        #expect(TopicPattern.regex(pattern(TopicPattern.maximumGroups)) != nil)
        #expect(TopicPattern.regex(pattern(TopicPattern.maximumGroups + 1)) == nil)
    }
}
