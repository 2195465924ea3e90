/// A request that is handed to its connection.
public struct RequestEvent: Sendable, Hashable {
    /// The `client.id` of the client.
    public let clientID: String
    /// The broker that it is sent to.
    public let broker: BrokerAddress
    /// The use of the connection.
    public let role: ConnectionRole
    /// The API's name in Kafka's documentation, such as `Fetch`.
    public let api: String
    /// The version of the API.
    public let version: Int16
    /// The length of the whole frame in bytes.
    public let byteCount: Int

    /// Creates an event, for example in a test.
    public init(
        clientID: String, broker: BrokerAddress, role: ConnectionRole, api: String, version: Int16, byteCount: Int
    ) {
        self.clientID = clientID
        self.broker = broker
        self.role = role
        self.api = api
        self.version = version
        self.byteCount = byteCount
    }
}

/// The end of a request.
public struct ResponseEvent: Sendable, Hashable {
    /// The `client.id` of the client.
    public let clientID: String
    /// The broker that it was sent to.
    public let broker: BrokerAddress
    /// The use of the connection.
    public let role: ConnectionRole
    /// The API's name in Kafka's documentation, such as `Fetch`.
    public let api: String
    /// The version of the API, as in the `RequestEvent`.
    public let version: Int16
    /// The length of the response's frame in bytes; 0 if there is no response.
    public let byteCount: Int
    /// The time from the hand-over of the request to the response. For Fetch it includes the wait for records.
    public let duration: Duration
    /// Why there is no usable response; nil if there is one. Error codes within a response, for a topic or partition, do
    /// not count.
    public let error: KafkaError?

    /// Creates an event, for example in a test.
    public init(
        clientID: String, broker: BrokerAddress, role: ConnectionRole, api: String, version: Int16, byteCount: Int,
        duration: Duration, error: KafkaError?
    ) {
        self.clientID = clientID
        self.broker = broker
        self.role = role
        self.api = api
        self.version = version
        self.byteCount = byteCount
        self.duration = duration
        self.error = error
    }
}

/// A pause that a broker asks for, because the client has used up a quota (KIP-219).
public struct ThrottleEvent: Sendable, Hashable {
    /// The `client.id` of the client.
    public let clientID: String
    /// The broker.
    public let broker: BrokerAddress
    /// The use of the connection that pauses. Other connections are not affected.
    public let role: ConnectionRole
    /// The API whose response asked for the pause.
    public let api: String
    /// The length of the pause; at most 60 s.
    public let duration: Duration
    /// The length that the broker asked for (`throttle_time_ms`).
    public let requested: Duration

    /// Creates an event, for example in a test.
    public init(
        clientID: String, broker: BrokerAddress, role: ConnectionRole, api: String, duration: Duration,
        requested: Duration
    ) {
        self.clientID = clientID
        self.broker = broker
        self.role = role
        self.api = api
        self.duration = duration
        self.requested = requested
    }
}

/// An operation that the client retries, and the reason.
public struct RetryEvent: Sendable, Hashable, CustomStringConvertible {
    /// The `client.id` of the client.
    public let clientID: String
    /// What the client is trying to do, as an infinitive: "find the leader of TFI-0".
    public let operation: String
    /// The broker that is to be reached; nil if the operation does not concern a single broker.
    public let broker: BrokerAddress?
    /// The error of the last attempt; nil if the last attempt succeeded.
    public let error: KafkaError?
    /// The number of attempts that have failed in a row, from 1.
    public let failures: Int
    /// The time since the first of these failures.
    public let elapsed: Duration
    /// The time until the next attempt; nil if that depends on an event, or no attempt is needed any more.
    public let pause: Duration?

    /// Creates an event, for example in a test.
    public init(
        clientID: String, operation: String, broker: BrokerAddress?, error: KafkaError?, failures: Int,
        elapsed: Duration, pause: Duration?
    ) {
        self.clientID = clientID
        self.operation = operation
        self.broker = broker
        self.error = error
        self.failures = failures
        self.elapsed = elapsed
        self.pause = pause
    }

    /// The event in words.
    public var description: String {
        guard let error else {
            return "succeeded after \(failures) failed attempt\(failures == 1 ? "" : "s"): \(operation)"
        }
        return "cannot \(operation): \(error) (attempt \(failures), retrying)"
    }
}
