/// Names as Kafka allows them, checked before a program uses one: a refused name reaches no broker and no message.
public enum KafkaName {
    /// What a topic's name has to be.
    public static let topicRule = "1 to 249 ASCII letters, digits, dots, underscores and hyphens"

    /// Whether brokers accept the name for a topic.
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

    /// What a group's name has to be.
    public static let groupRule = "any text but a URI or user:password@host"

    /// Whether the name can be meant for a group. Brokers accept every text that isn't empty; an address is a mistake.
    public static func isGroup(_ name: String) -> Bool { !name.isEmpty && !ShownArgument.isAddress(name) }
}

extension ValueFormat<String> {
    /// A topic's name.
    public static let topic = ValueFormat(
        placeholder: "NAME", expectation: "a topic's name: \(KafkaName.topicRule)",
        parse: { KafkaName.isTopic($0) ? $0 : nil }, format: { $0 })

    /// The name of something else, such as a group or a schema: any text that isn't an address.
    public static let name = ValueFormat(
        placeholder: "NAME", expectation: "a name: \(KafkaName.groupRule)",
        parse: { KafkaName.isGroup($0) ? $0 : nil }, format: { $0 })
}
