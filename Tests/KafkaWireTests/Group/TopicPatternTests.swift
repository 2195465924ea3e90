import Testing

@testable import KafkaWire

@Suite struct TopicPatternTests {
    @Test func aPatternIsCompiled() throws {
        let pattern = try #require(TopicPattern("orders(-[0-9]+)?"))
        #expect(pattern.matches("orders-12") && !pattern.matches("borders"))
        #expect(TopicPattern("(a") == nil)
    }

    /// It would exhaust the stack.
    @Test(arguments: ["(", "[", "(?:"]) func deepPatternsAreRefused(opening: String) {
        #expect(TopicPattern(String(repeating: opening, count: 100_000)) == nil)
    }

    @Test func manyGroupsSideBySideAreTaken() {
        func pattern(_ count: Int) -> String { repeatElement("(a)", count: count).joined(separator: "|") }
        #expect(TopicPattern(pattern(TopicPattern.maximumGroups)) != nil)
        #expect(TopicPattern(pattern(TopicPattern.maximumGroups + 1)) == nil)
    }
}
