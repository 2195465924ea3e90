/// What a connection tells of itself: the client's observer, with the broker and the role of the connection.
package struct ConnectionObserver: Sendable {
    let client: ClientObserver
    let broker: BrokerAddress
    let role: ConnectionRole

    /// Nil where nobody listens to the client.
    package init?(_ client: ClientObserver?, _ broker: BrokerAddress, _ role: ConnectionRole) {
        guard let client else { return nil }
        self.client = client
        self.broker = broker
        self.role = role
    }
}

/// One request and its end, as log, metrics and hooks are told of them. Without an observer it does nothing.
struct ObservedExchange: Sendable {
    private let observer: ConnectionObserver?
    private let api: APIKey
    private let version: Int16
    private let began: ContinuousClock.Instant?

    init(_ observer: ConnectionObserver?, _ api: APIKey, _ version: Int16) {
        self.observer = observer
        self.api = api
        self.version = version
        began = observer == nil ? nil : .now
    }

    /// Passes a request's frame through.
    func sending(_ frame: [UInt8]) -> [UInt8] {
        if let observer {
            observer.client.requested(observer.broker, observer.role, api, version, byteCount: frame.count)
        }
        return frame
    }

    /// - Parameter byteCount: Of the answer's frame without its length; nil where none came.
    func ended(byteCount: Int?, _ error: (any Error)? = nil) {
        guard let observer, let began else { return }
        let failure = error.map { error in
            error as? KafkaError ?? KafkaError(.requestTimedOut, "the call was cancelled")
        }
        observer.client.answered(
            observer.broker, observer.role, api, version, byteCount: byteCount.map { $0 + 4 } ?? 0,
            took: .now - began, failure)
    }

    func throttled(for duration: Duration, requested: Duration) {
        guard let observer else { return }
        observer.client.throttled(observer.broker, observer.role, api, for: duration, requested: requested)
    }
}
