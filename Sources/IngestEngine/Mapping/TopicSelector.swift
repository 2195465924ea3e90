import KafkaWire

/// One topic by its name, or all topics whose whole name matches a regular expression.
public enum TopicSelector: Sendable, Hashable {
    case name(String)
    case pattern(String)

    /// A text of characters that topic names may have is a name; any other is a pattern.
    ///
    /// - Throws: `TopicSelectorError` if it is neither a possible name nor a regular expression.
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
            // Kafka's own rules for names.
            guard text.utf8.count <= 249, text != ".", text != ".." else {
                throw TopicSelectorError("\"\(text)\" cannot be a topic's name: at most 249 characters, not . or ..")
            }
            self = .name(text)
        } else {
            let groups = TopicPattern.groupCount(text)
            guard groups <= TopicPattern.maximumGroups else {
                throw TopicSelectorError(
                    "the pattern of topics has \(groups) opening brackets and parentheses; at most "
                        + "\(TopicPattern.maximumGroups) are read")
            }
            guard TopicPattern(text) != nil else {
                throw TopicSelectorError("\"\(text)\" is neither a topic's name nor a regular expression")
            }
            self = .pattern(text)
        }
    }
}

/// A text that selects no topic.
public struct TopicSelectorError: Error, Equatable {
    public let message: String

    init(_ message: String) { self.message = message }
}
