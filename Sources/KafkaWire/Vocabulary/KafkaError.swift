/// The error type of this library: a code with Kafka's own name, a sentence, and what the error is about.
///
/// Errors that the client detects itself carry the code that Kafka's own clients use for them, such as
/// `REQUEST_TIMED_OUT`, `NETWORK_EXCEPTION`, `CORRUPT_MESSAGE` or `UNSUPPORTED_VERSION`. `isFromBroker` distinguishes
/// the two.
///
/// How to react:
///
/// | | what to do |
/// | --- | --- |
/// | ``isRetriable`` | call again later; the client has already retried for as long as its settings say |
/// | ``requiresAbort`` | abort the transaction, then begin another |
/// | ``isFatal`` | remove the cause, then create another producer, consumer or client |
/// | ``isAuthorization`` | have the principal granted what it lacks |
public struct KafkaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The error code. To handle a specific error, write `catch let error as KafkaError where error.code == .topicAlreadyExists`.
    public let code: ErrorCode
    /// What happened and, if the reader can act, what to do.
    public let message: String
    /// Whether a broker sent the code. If false, the client detected the error.
    public let isFromBroker: Bool
    /// Whether the same call can succeed later without any change.
    ///
    /// Kafka's protocol guide decides it by the code, except for errors that the client knows to be permanent.
    public let isRetriable: Bool
    /// Whether the producer, consumer or client that reported the error cannot continue: every further call fails until
    /// the cause is removed and another one is created.
    ///
    /// For a transactional producer it is exact. For others it is derived from the code: a refused login, an invalid
    /// configuration, a fenced producer or member.
    public package(set) var isFatal: Bool
    /// Whether the current transaction cannot be committed: call `abortTransaction`, then begin another.
    /// `withTransaction` has aborted the transaction already when it throws such an error.
    public package(set) var requiresAbort: Bool
    /// The topic that the error is about; nil if there is none, or several.
    public var topic: String?
    /// The number of the partition of `topic`; nil if the error is not about a single partition.
    public var partition: Int32?
    /// The offset that the error is about, such as that of an unreadable batch; nil if there is none.
    public var offset: Int64?
    /// With LOG_TRUNCATION: the first offset at which the log differs from what was read (KIP-320); nil if the broker
    /// doesn't report it.
    public var divergentOffset: Int64?
    /// With NETWORK_EXCEPTION and REQUEST_TIMED_OUT: how the connection to a broker failed; nil if that is not the cause.
    public var connectionFailure: ConnectionFailure?
    /// The length in bytes that the broker announced for the response that was lost; nil if none had begun to arrive.
    package var responseLength: Int?

    /// Creates an error, for an application's own tests and for errors of a kind that Kafka has a code for.
    ///
    /// - Parameters:
    ///   - code: The error code.
    ///   - message: What happened and, if the reader can act, what to do.
    ///   - isFromBroker: Whether a broker sent the code.
    ///   - isRetriable: nil to follow Kafka's protocol guide.
    ///   - isFatal: nil to derive it from the code.
    ///   - requiresAbort: nil to derive it from the code, which says so for TRANSACTION_ABORTABLE alone.
    ///   - topic: The topic that the error is about; nil if there is none, or several.
    ///   - partition: The number of the partition of `topic`; nil if the error is not about a single partition.
    ///   - offset: The offset that the error is about; nil if there is none.
    public init(
        _ code: ErrorCode, _ message: String, isFromBroker: Bool = false, isRetriable: Bool? = nil,
        isFatal: Bool? = nil, requiresAbort: Bool? = nil, topic: String? = nil, partition: Int32? = nil,
        offset: Int64? = nil
    ) {
        self.code = code
        self.message = message
        self.isFromBroker = isFromBroker
        self.isRetriable = isRetriable ?? code.isRetriable
        self.isFatal = isFatal ?? (!self.isRetriable && code.isFatal(isFromBroker: isFromBroker))
        self.requiresAbort = requiresAbort ?? (code == .transactionAbortable)
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }

    /// Whether the principal lacks a permission (an ACL) for a topic, a group, a transactional id or the cluster.
    ///
    /// A refused login is SASL_AUTHENTICATION_FAILED, and no authorization error.
    public var isAuthorization: Bool { code.isAuthorization }

    /// The partition that the error is about; nil if it is not about a single partition.
    public var topicPartition: TopicPartition? {
        guard let topic, let partition else { return nil }
        return TopicPartition(topic: topic, partition: partition)
    }

    /// The message, and in parentheses the code and what the error is about.
    public var description: String {
        var place: [String] = []
        if let topic { place.append("topic \(topic)") }
        if let partition { place.append("partition \(partition)") }
        if let offset { place.append("offset \(offset)") }
        return "\(message) (\(([code.description] + place).joined(separator: ", ")))"
    }
}
