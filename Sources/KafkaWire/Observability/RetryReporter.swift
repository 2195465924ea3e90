/// Decides when a retried failure is reported, and reports it through `ClientObserver`.
///
/// The first failure is reported at once, and so is an error code that has not been reported yet. Otherwise the interval
/// between two reports doubles, from 1 s to 60 s. A success after a report is reported once.
///
/// A plain value: the code that retries owns one for each thing that it waits for.
package struct RetryReporter: Sendable {
    private static let firstInterval = Duration.seconds(1)
    private static let longestInterval = Duration.seconds(60)

    /// What the client is trying to do, as an infinitive: "find the leader of TFI-0".
    private let operation: String
    private let broker: BrokerAddress?
    private var failures = 0
    private var firstFailure: ContinuousClock.Instant?
    private var reported: Set<ErrorCode> = []
    private var nextReport: ContinuousClock.Instant?
    private var interval = Self.firstInterval

    /// - Parameter broker: The broker that is to be reached, if the operation is to connect to it.
    package init(_ operation: String, broker: BrokerAddress? = nil) {
        self.operation = operation
        self.broker = broker
    }

    /// Call after each failed attempt.
    ///
    /// - Parameters:
    ///   - pause: The time until the next attempt; nil if the attempt depends on an event.
    package mutating func failed(
        _ error: KafkaError, at now: ContinuousClock.Instant, retryingAfter pause: Duration?,
        observer: ClientObserver?
    ) {
        failures += 1
        report(error, at: now, since: firstFailure ?? now, retryingAfter: pause, observer)
    }

    /// Call from time to time while one attempt takes long.
    ///
    /// - Parameters:
    ///   - error: The latest error of the attempt.
    ///   - began: When the attempt began.
    package mutating func waits(
        _ error: KafkaError, at now: ContinuousClock.Instant, since began: ContinuousClock.Instant,
        observer: ClientObserver?
    ) {
        report(error, at: now, since: firstFailure ?? began, retryingAfter: nil, observer)
    }

    private mutating func report(
        _ error: KafkaError, at now: ContinuousClock.Instant, since: ContinuousClock.Instant,
        retryingAfter pause: Duration?, _ observer: ClientObserver?
    ) {
        firstFailure = since
        if let nextReport, reported.contains(error.code), now < nextReport { return }
        if !reported.isEmpty { interval = min(interval + interval, Self.longestInterval) }
        reported.insert(error.code)
        nextReport = now + interval
        observer?.retrying(
            RetryEvent(
                clientID: observer?.clientID ?? "", operation: operation, broker: broker, error: error,
                failures: max(failures, 1), elapsed: now - since, pause: pause))
    }

    /// Call after each successful attempt. Cheap if nothing has failed.
    package mutating func succeeded(at now: @autoclosure () -> ContinuousClock.Instant, observer: ClientObserver?) {
        guard let since = firstFailure else { return }
        let event = RetryEvent(
            clientID: observer?.clientID ?? "", operation: operation, broker: broker, error: nil,
            failures: max(failures, 1), elapsed: now() - since, pause: nil)
        self = RetryReporter(operation, broker: broker)
        observer?.retrying(event)
    }
}
