/// What the library throws: a code with Kafka's own name, a sentence, and what it is about.
///
/// Errors that this client finds by itself carry the code that Kafka's own clients use for them:
/// `REQUEST_TIMED_OUT`, `NETWORK_EXCEPTION`, `CORRUPT_MESSAGE`, `UNSUPPORTED_VERSION` and so on;
/// `isFromBroker` tells the two apart.
public struct KafkaError: Error, Hashable, Sendable, CustomStringConvertible {
    public let code: ErrorCode
    /// What happened and, where there is something to do about it, what.
    public let message: String
    /// Whether a broker sent the code; otherwise this client found it out.
    public let isFromBroker: Bool
    /// Whether the same call can succeed later without anything being changed: as Kafka's protocol guide has it for the
    /// code, but for errors of which this client knows that they stay.
    public let isRetriable: Bool
    public var topic: String?
    public var partition: Int32?
    public var offset: Int64?
    /// With LOG_TRUNCATION: the offset from which on the log isn't the one that was read; nil where even the broker
    /// can't tell (KIP-320).
    public var divergentOffset: Int64?

    public init(
        _ code: ErrorCode, _ message: String, isFromBroker: Bool = false, isRetriable: Bool? = nil,
        topic: String? = nil, partition: Int32? = nil, offset: Int64? = nil
    ) {
        self.code = code
        self.message = message
        self.isFromBroker = isFromBroker
        self.isRetriable = isRetriable ?? code.isRetriable
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }

    public var description: String {
        var place: [String] = []
        if let topic { place.append("topic \(topic)") }
        if let partition { place.append("partition \(partition)") }
        if let offset { place.append("offset \(offset)") }
        return "\(message) (\(([code.description] + place).joined(separator: ", ")))"
    }
}
