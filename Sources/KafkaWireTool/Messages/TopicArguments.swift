import CommandLineSupport
import KafkaWire

/// Topics as the command line names them.
enum TopicArguments {
    /// The longest name that brokers accept.
    private static let longestName = 249

    /// Checks a topic's name by the rules that brokers have for it.
    ///
    /// A consumer group waits for a topic that doesn't exist yet, so a name that can never exist must be refused here.
    static func check(_ name: String) throws(Failure) {
        let isLegal = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isLegal, (1...longestName).contains(name.utf8.count), name != ".", name != ".." else {
            throw Failure(
                "\(shownArgument(name)) cannot be a topic's name: brokers allow 1 to \(longestName) ASCII letters, digits, dots, "
                    + "underscores and hyphens", status: .usage)
        }
    }

    /// The subscription for the topics of `-G`.
    ///
    /// As in librdkafka, a name that begins with `^` is a regular expression which may match any part of a topic's name,
    /// so `^orders` stands for all topics whose names begin with "orders". `Subscription.pattern` and brokers (KIP-848)
    /// match whole names instead.
    ///
    /// - Throws: A failure of status `usage` for an invalid name or regular expression.
    static func subscription(_ topics: [String]) throws(Failure) -> Subscription {
        var isPattern = false
        for topic in topics {
            guard topic.hasPrefix("^") else {
                try check(topic)
                continue
            }
            isPattern = true
            guard (try? Regex(topic)) != nil else {
                throw Failure(
                    "'\(topic)' is not a valid regular expression: a topic that begins with ^ is read as one",
                    status: .usage)
            }
        }
        guard isPattern else { return .topics(topics) }
        return .pattern(topics.map { $0.hasPrefix("^") ? ".*(?:\($0)).*" : quoted($0) }.joined(separator: "|"))
    }

    /// A topic's name as a regular expression. The dot is the only legal character that needs quoting.
    private static func quoted(_ topic: String) -> String { topic.replacing(".", with: "\\.") }
}
