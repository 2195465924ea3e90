/// Closures that a client calls on certain events. Each is optional.
///
/// ```swift
/// var hooks = ClientHooks()
/// hooks.availabilityChanged = { print($0) }
/// hooks.responseReceived = { histogram.record($0.duration) }
/// let client = KafkaClient(configuration, hooks: hooks)
/// ```
/// The client calls them on any thread, including those that serve connections, so they must not block. Do long work
/// elsewhere. A closure that is nil costs nothing.
public struct ClientHooks: Sendable {
    /// Called when an attempt to connect has succeeded or failed.
    public var connected: (@Sendable (ConnectEvent) -> Void)?
    /// Called when an open connection has ended.
    public var disconnected: (@Sendable (DisconnectEvent) -> Void)?
    /// Called when a request is handed to its connection.
    public var requestSent: (@Sendable (RequestEvent) -> Void)?
    /// Called when a request has ended: with a response, or without one.
    public var responseReceived: (@Sendable (ResponseEvent) -> Void)?
    /// Called when a broker throttles the client, because it has used up a quota (KIP-219).
    public var throttled: (@Sendable (ThrottleEvent) -> Void)?
    /// Called when the partitions of a group member have changed.
    public var rebalanced: (@Sendable (RebalanceEvent) -> Void)?
    /// Called when the client can no longer reach a broker that it was connected to, and when it can again.
    public var availabilityChanged: (@Sendable (BrokerAvailability) -> Void)?
    /// Called when the client keeps retrying an operation, or the operation has succeeded after a reported failure.
    ///
    /// Called at the first failure, at each new error code, and otherwise at intervals that grow from 1 s to 60 s.
    public var retrying: (@Sendable (RetryEvent) -> Void)?

    /// Creates hooks without any closure.
    public init() {}

    /// Creates hooks with a closure for brokers that are lost and come back.
    public init(availabilityChanged: @escaping @Sendable (BrokerAvailability) -> Void) {
        self.availabilityChanged = availabilityChanged
    }
}
