/// What an application wants to be told of while a client works: closures, each of which may be left out.
///
/// ```swift
/// var hooks = ClientHooks()
/// hooks.availabilityChanged = { print($0) }
/// hooks.responseReceived = { histogram.record($0.duration) }
/// let client = KafkaClient(configuration, hooks: hooks)
/// ```
/// They are called on any thread, also on those that move a connection's bytes: they mustn't block, and what takes long
/// belongs elsewhere. Nothing is built for a closure that isn't there.
public struct ClientHooks: Sendable {
    /// An attempt to connect has ended, well or not.
    public var connected: (@Sendable (ConnectEvent) -> Void)?
    /// A connection that was open has ended.
    public var disconnected: (@Sendable (DisconnectEvent) -> Void)?
    /// A request is handed to its connection.
    public var requestSent: (@Sendable (RequestEvent) -> Void)?
    /// A request has come to its end: by an answer, or because there will be none.
    public var responseReceived: (@Sendable (ResponseEvent) -> Void)?
    /// A broker asks the client to send it nothing for a while, since a quota is used up (KIP-219).
    public var throttled: (@Sendable (ThrottleEvent) -> Void)?
    /// The partitions of a group's member have changed.
    public var rebalanced: (@Sendable (RebalanceEvent) -> Void)?
    /// A broker that was connected to can't be reached any more, or is back.
    public var availabilityChanged: (@Sendable (BrokerAvailability) -> Void)?
    /// The client keeps retrying something, or has succeeded after it reported a failure.
    ///
    /// Called at the first failure, at an error code that is new, and otherwise at intervals that grow from 1 s to 60 s.
    public var retrying: (@Sendable (RetryEvent) -> Void)?

    /// Without any; set those that are wanted.
    public init() {}

    /// - Parameter availabilityChanged: Told of brokers that are lost and come back.
    public init(availabilityChanged: @escaping @Sendable (BrokerAvailability) -> Void) {
        self.availabilityChanged = availabilityChanged
    }
}

/// Something that the client is retrying, and why.
public struct RetryEvent: Sendable, Hashable, CustomStringConvertible {
    /// The `client.id` of the client.
    public let clientID: String
    /// What the client is trying to do, as an infinitive: "find the leader of TFI-0".
    public let operation: String
    /// The broker that is to be reached; nil if the operation isn't about one broker's address.
    public let broker: BrokerAddress?
    /// The error of the last attempt; nil if the last attempt succeeded.
    public let error: KafkaError?
    /// The number of attempts that have failed in a row, from 1.
    public let failures: Int
    /// The time since the first of these failures.
    public let elapsed: Duration
    /// The time until the next attempt; nil if that depends on an event, or if no attempt is needed any more.
    public let pause: Duration?

    public var description: String {
        guard let error else {
            return "succeeded after \(failures) failed attempt\(failures == 1 ? "" : "s"): \(operation)"
        }
        return "cannot \(operation): \(error) (attempt \(failures), retrying)"
    }
}

/// What a connection to a broker is used for: a request that the broker may hold back has one of its own.
public enum ConnectionRole: String, Sendable, Hashable, CaseIterable {
    /// Metadata, offsets, administration: what is answered at once.
    case general
    /// Fetch, which waits for records.
    case fetch
    /// Produce.
    case produce
    /// What a coordinator answers when all members of a group are there.
    case group
}

/// The end of an attempt to connect: TCP, TLS, the negotiation of versions and the login.
public struct ConnectEvent: Sendable {
    /// The `client.id` of the client.
    public let clientID: String
    /// Where the connection was to go.
    public let broker: BrokerAddress
    /// What it was to be used for.
    public let role: ConnectionRole
    /// How long it took.
    public let duration: Duration
    /// Nil where it went well.
    public let error: KafkaError?
}

/// The end of a connection that was open.
public struct DisconnectEvent: Sendable {
    /// How it ended.
    public typealias Reason = DisconnectReason

    /// The `client.id` of the client.
    public let clientID: String
    /// Where the connection went.
    public let broker: BrokerAddress
    /// What it was used for.
    public let role: ConnectionRole
    /// By whom, and why.
    public let reason: Reason
}

/// A request on its way.
public struct RequestEvent: Sendable {
    /// The `client.id` of the client.
    public let clientID: String
    /// The broker that it is sent to.
    public let broker: BrokerAddress
    /// Over which of the connections to that broker.
    public let role: ConnectionRole
    /// The API's name in Kafka's documentation, such as `Fetch`.
    public let api: String
    /// Of the API: mostly the highest that both sides speak.
    public let version: Int16
    /// The length of the whole frame, in bytes.
    public let byteCount: Int
}

/// The end of a request.
public struct ResponseEvent: Sendable {
    /// The `client.id` of the client.
    public let clientID: String
    /// The broker that it was sent to.
    public let broker: BrokerAddress
    /// Over which of the connections to that broker.
    public let role: ConnectionRole
    /// The API's name in Kafka's documentation, such as `Fetch`.
    public let api: String
    /// Of the API, as in the `RequestEvent`.
    public let version: Int16
    /// The length of the answer's frame, in bytes; 0 where there is none.
    public let byteCount: Int
    /// From the hand-over of the request to the answer. For Fetch the wait for records is in it.
    public let duration: Duration
    /// Why there is no answer, or none that can be read. What a broker answers to parts of a request (a topic, a
    /// partition) isn't looked at here.
    public let error: KafkaError?
}

/// A pause that a broker asks for.
public struct ThrottleEvent: Sendable {
    /// The `client.id` of the client.
    public let clientID: String
    /// The broker that asks for it.
    public let broker: BrokerAddress
    /// Over which of the connections to that broker; the others go on.
    public let role: ConnectionRole
    /// The API whose answer brought it.
    public let api: String
    /// How long nothing is sent over this connection, 60 s at most.
    public let duration: Duration
    /// How long the broker asked for (`throttle_time_ms`).
    public let requested: Duration
}

/// A change of what a group's member reads.
public struct RebalanceEvent: Sendable {
    /// What has become of the partitions.
    public enum Change: String, Sendable, Hashable, CaseIterable {
        /// They are the member's from here on.
        case assigned
        /// They are given back, after their offsets could be committed.
        case revoked
        /// They belong to others already: the member was thought dead, or was fenced.
        case lost
    }

    /// The `client.id` of the client.
    public let clientID: String
    /// `group.id`
    public let group: String
    /// The generation of a classic group, or the member's epoch (KIP-848); -1 where the member is in none any more.
    public let generation: Int32
    /// One for all of `partitions`: a rebalance that takes some and gives others is told twice.
    public let change: Change
    /// Only those that move, in ascending order; never empty.
    public let partitions: [TopicPartition]
}

/// Whether a broker can be reached, reported when that changes.
///
/// It has no client id: a hook belongs to one client.
public enum BrokerAvailability: Sendable, Hashable, CustomStringConvertible {
    /// A broker can't be reached any more; it is tried again, with growing pauses.
    case lost(BrokerAddress, reason: String)
    /// A broker that was lost answers again.
    case back(BrokerAddress)

    public var description: String {
        switch self {
        case .lost(let address, let reason): "waiting for broker \(address): \(reason)"
        case .back(let address): "broker \(address) is back"
        }
    }
}
