/// What the library throws: a code with Kafka's own name, a sentence, and what it is about.
///
/// Errors that this client finds by itself carry the code that Kafka's own clients use for them:
/// `REQUEST_TIMED_OUT`, `NETWORK_EXCEPTION`, `CORRUPT_MESSAGE`, `UNSUPPORTED_VERSION` and so on;
/// `isFromBroker` tells the two apart.
public struct KafkaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What to decide by, as in `catch let error as KafkaError where error.code == .topicAlreadyExists`.
    public let code: ErrorCode
    /// What happened and, where there is something to do about it, what.
    public let message: String
    /// Whether a broker sent the code; otherwise this client found it out.
    public let isFromBroker: Bool
    /// Whether the same call can succeed later without anything being changed: as Kafka's protocol guide has it for the
    /// code, but for errors of which this client knows that they stay.
    public let isRetriable: Bool
    /// The topic that it is about; nil where it is about none, or several.
    public var topic: String?
    /// The partition of `topic` that it is about; nil where it is about none.
    public var partition: Int32?
    /// The offset that it is about, such as that of a batch which can't be read; nil where it is about none.
    public var offset: Int64?
    /// With LOG_TRUNCATION: the offset from which on the log isn't the one that was read; nil where even the broker
    /// can't tell (KIP-320).
    public var divergentOffset: Int64?
    /// The length in bytes that the broker announced for the response which was lost; nil if none had begun to arrive.
    package var responseLength: Int?

    /// With NETWORK_EXCEPTION and REQUEST_TIMED_OUT: how the connection to a broker failed; nil if that is not the cause.
    public var connectionFailure: ConnectionFailure?

    /// For an application's own tests, and for errors of a kind that Kafka has a code for.
    ///
    /// - Parameters:
    ///   - code: What to decide by.
    ///   - message: What happened and, where there is something to do about it, what.
    ///   - isFromBroker: Whether a broker sent the code.
    ///   - isRetriable: Nil for what Kafka's protocol guide says of the code.
    ///   - topic: The topic that it is about; nil where it is about none, or several.
    ///   - partition: The partition of `topic` that it is about; nil where it is about none.
    ///   - offset: The offset that it is about; nil where it is about none.
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

    /// The message, and in parentheses the code and what it is about.
    public var description: String {
        var place: [String] = []
        if let topic { place.append("topic \(topic)") }
        if let partition { place.append("partition \(partition)") }
        if let offset { place.append("offset \(offset)") }
        return "\(message) (\(([code.description] + place).joined(separator: ", ")))"
    }
}
