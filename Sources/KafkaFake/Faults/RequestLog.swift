import KafkaWire

/// A request that a fake broker has read.
public struct FakeRequest: Sendable {
    public let api: APIKey
    public let version: Int16
    /// The node id of the broker that read it.
    public let node: Int32
    public let correlationID: Int32
    public let clientID: String?
    public let time: ContinuousClock.Instant
}

/// The most recent requests. Older ones are dropped, so that memory stays bounded.
struct RequestLog {
    private static let limit = 10_000
    private(set) var requests: [FakeRequest] = []

    mutating func append(_ request: FakeRequest) {
        if requests.count == Self.limit { requests.removeFirst(Self.limit / 2) }
        requests.append(request)
    }

    mutating func removeAll() {
        requests = []
    }
}
