/// Receives what happens on one connection: requests, responses, and what the broker asks of the client.
package protocol ConnectionObserver: Sendable {
    /// A request was handed to the connection.
    ///
    /// - Parameter byteCount: The length of the whole frame.
    func requested(_ api: APIKey, version: Int16, byteCount: Int)

    /// A request has ended.
    ///
    /// - Parameters:
    ///   - byteCount: The length of the response's whole frame; 0 if there is none.
    ///   - duration: The time from the request to its end.
    ///   - error: Why there is no response, or none that can be decoded.
    func answered(_ api: APIKey, version: Int16, byteCount: Int, took duration: Duration, _ error: KafkaError?)

    /// The broker asks the client to send nothing for a while (KIP-219).
    ///
    /// - Parameters:
    ///   - duration: How long the client pauses.
    ///   - requested: How long the broker asked for.
    func throttled(_ api: APIKey, for duration: Duration, requested: Duration)

    /// The broker grants a session that is shorter than the shortest interval between two logins (KIP-368).
    func shortSession(_ lifetime: Duration, nextLoginAfter pause: Duration)
}

/// Reports one request and its end to an observer. Does nothing without one.
struct ObservedExchange: Sendable {
    private let observer: (any ConnectionObserver)?
    private let api: APIKey
    private let version: Int16
    private let began: ContinuousClock.Instant?

    init(_ observer: (any ConnectionObserver)?, _ api: APIKey, _ version: Int16) {
        self.observer = observer
        self.api = api
        self.version = version
        began = observer == nil ? nil : .now
    }

    /// Passes a request's frame through.
    func sending(_ frame: RequestFrame) -> RequestFrame {
        observer?.requested(api, version: version, byteCount: frame.byteCount)
        return frame
    }

    /// - Parameter byteCount: The length of the response's frame without its length field; nil if there is none.
    func ended(byteCount: Int?, _ error: (any Error)? = nil) {
        guard let observer, let began else { return }
        let failure = error.map { error in
            error as? KafkaError ?? KafkaError(.requestTimedOut, "the call was cancelled")
        }
        observer.answered(
            api, version: version, byteCount: byteCount.map { $0 + 4 } ?? 0, took: .now - began, failure)
    }

    func throttled(for duration: Duration, requested: Duration) {
        observer?.throttled(api, for: duration, requested: requested)
    }
}
