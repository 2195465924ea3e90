/// Kafka's rules for names, checked before a name is used, so that an invalid name reaches no broker and no message.
public enum KafkaName {
    /// The rule for topic names.
    public static let topicRule = "1 to 249 ASCII letters, digits, dots, underscores and hyphens"

    /// Whether brokers accept a topic name.
    public static func isTopic(_ name: String) -> Bool {
        let isLegal = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isLegal && (1...249).contains(name.utf8.count) && name != "." && name != ".."
    }

    /// The rule for group names.
    public static let groupRule = "any text but a URI or user:password@host"

    /// Whether a text is a plausible group name. Brokers accept any text that isn't empty, but an address is a
    /// mistake.
    public static func isGroup(_ name: String) -> Bool { !name.isEmpty && !ShownArgument.isAddress(name) }
}

extension ValueFormat<String> {
    /// A topic's name.
    public static let topic = ValueFormat(
        placeholder: "NAME", expectation: "a topic's name: \(KafkaName.topicRule)",
        parse: { KafkaName.isTopic($0) ? $0 : nil }, format: { $0 })

    /// Another name, such as that of a group or a schema: any text that isn't an address.
    public static let name = ValueFormat(
        placeholder: "NAME", expectation: "a name: \(KafkaName.groupRule)",
        parse: { KafkaName.isGroup($0) ? $0 : nil }, format: { $0 })
}
