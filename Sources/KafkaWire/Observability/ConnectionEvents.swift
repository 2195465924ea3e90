/// The use of a connection to a broker. Requests that the broker may hold back have connections of their own.
@nonexhaustive
public enum ConnectionRole: String, Sendable, Hashable {
    /// Metadata, offsets, administration: requests that are answered at once.
    case general
    /// Fetch requests, which wait for records.
    case fetch
    /// Produce requests.
    case produce
    /// Requests of group members, which wait for the other members.
    case group
}

/// The end of an attempt to connect: TCP, TLS, the negotiation of versions, and the login.
public struct ConnectEvent: Sendable, Hashable {
    /// The `client.id` of the client.
    public let clientID: String
    /// The address of the broker.
    public let broker: BrokerAddress
    /// The use of the connection.
    public let role: ConnectionRole
    /// The duration of the attempt.
    public let duration: Duration
    /// Why the attempt failed; nil if it succeeded.
    public let error: KafkaError?

    /// Creates an event, for example in a test.
    public init(
        clientID: String, broker: BrokerAddress, role: ConnectionRole, duration: Duration, error: KafkaError?
    ) {
        self.clientID = clientID
        self.broker = broker
        self.role = role
        self.duration = duration
        self.error = error
    }
}

/// The end of an open connection.
public struct DisconnectEvent: Sendable, Hashable {
    /// The `client.id` of the client.
    public let clientID: String
    /// The address of the broker.
    public let broker: BrokerAddress
    /// The use of the connection.
    public let role: ConnectionRole
    /// Why the connection ended.
    public let reason: DisconnectReason

    /// Creates an event, for example in a test.
    public init(
        clientID: String, broker: BrokerAddress, role: ConnectionRole, reason: DisconnectReason
    ) {
        self.clientID = clientID
        self.broker = broker
        self.role = role
        self.reason = reason
    }
}

/// Whether a broker can be reached, reported when that changes.
///
/// It has no client id, since a hook belongs to one client.
@nonexhaustive
public enum BrokerAvailability: Sendable, Hashable, CustomStringConvertible {
    /// The broker can no longer be reached. The client retries with growing pauses.
    case lost(BrokerAddress, reason: String)
    /// The broker can be reached again.
    case back(BrokerAddress)

    /// The change in words.
    public var description: String {
        switch self {
        case .lost(let address, let reason): "waiting for broker \(address): \(reason)"
        case .back(let address): "broker \(address) is back"
        }
    }
}
