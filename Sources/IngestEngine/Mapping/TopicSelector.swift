import KafkaWire

/// A topic by name, or all topics whose whole name matches a regular expression.
public enum TopicSelector: Sendable, Hashable {
    case name(String)
    case pattern(String)

    /// Parses a selector: a text of characters allowed in topic names is a name, any other text is a pattern.
    ///
    /// - Throws: `TopicSelectorError` if it is neither a valid name nor a valid regular expression.
    public init(_ text: String) throws(TopicSelectorError) {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard !text.isEmpty else { throw TopicSelectorError("a topic's name is empty") }
        if isName {
            // Kafka's rules for topic names.
            guard text.utf8.count <= 249, text != ".", text != ".." else {
                throw TopicSelectorError("\"\(text)\" cannot be a topic's name: at most 249 characters, not . or ..")
            }
            self = .name(text)
        } else {
            let groups = TopicPattern.groupCount(text)
            guard groups <= TopicPattern.maximumGroups else {
                throw TopicSelectorError(
                    "the pattern of topics has \(groups) opening brackets and parentheses; the "
                        + "maximum is \(TopicPattern.maximumGroups)")
            }
            guard TopicPattern(text) != nil else {
                throw TopicSelectorError("\"\(text)\" is neither a topic's name nor a regular expression")
            }
            self = .pattern(text)
        }
    }
}

/// An invalid topic name or pattern.
public struct TopicSelectorError: Error, Equatable {
    public let message: String

    init(_ message: String) { self.message = message }
}
