import CommandLineSupport
import KafkaWire

/// Checks topic and group names given on the command line.
enum TopicArguments {
    /// Checks a topic name by the brokers' rules.
    ///
    /// A consumer group waits for a topic that doesn't exist yet, so a name that can never exist must be refused here.
    static func check(_ name: String) throws(Failure) {
        guard KafkaName.isTopic(name) else {
            throw Failure(
                "\(ShownArgument.quoted(name)) cannot be a topic's name: brokers allow \(KafkaName.topicRule)",
                status: .usage)
        }
    }

    /// Checks a group name before it is sent or printed.
    static func check(group name: String) throws(Failure) {
        guard KafkaName.isGroup(name) else {
            throw Failure(
                "\(ShownArgument.quoted(name)) cannot be a group's name: it is \(KafkaName.groupRule)", status: .usage)
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
            guard TopicPattern(topic) != nil, !ShownArgument.isAddress(topic) else {
                throw Failure(
                    "\(ShownArgument.quoted(topic)) is not a valid regular expression: a topic that begins "
                        + "with ^ is a regular expression", status: .usage)
            }
        }
        guard isPattern else { return .topics(topics) }
        let pattern = topics.map { $0.hasPrefix("^") ? ".*(?:\($0)).*" : quoted($0) }.joined(separator: "|")
        guard TopicPattern(pattern) != nil else {
            throw Failure(
                "the topics' regular expressions together have more than \(TopicPattern.maximumGroups) groups",
                status: .usage)
        }
        return .pattern(pattern)
    }

    /// A topic's name as a regular expression. The dot is the only legal character that needs quoting.
    private static func quoted(_ topic: String) -> String { topic.replacing(".", with: "\\.") }
}
