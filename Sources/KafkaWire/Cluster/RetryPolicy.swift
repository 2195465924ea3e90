import Concurrency

/// How the failures of an operation are retried. Callers that retry differ only in the policy that they pass to `Retry`.
struct RetryPolicy: Sendable {
    /// What the operation does, as an infinitive for reports: "create the topic orders".
    var operation: String
    /// The pause before the next attempt, which grows with each failure in a row.
    var backoff: Backoff
    /// No attempt begins after this; nil if the operation is retried until its owner ends.
    var deadline: ContinuousClock.Instant?
    /// Retriable errors that end the operation nevertheless.
    var final: Set<ErrorCode> = []
    /// Errors that usually pass within milliseconds, such as CONCURRENT_TRANSACTIONS right after a transaction.
    var momentary: Set<ErrorCode> = []

    /// The longest pause after a momentary error.
    static let momentaryPause = Duration.milliseconds(20)
    /// Momentary errors are reported only after this many failures in a row.
    static let momentaryFailures = 50
}

/// The retries of one operation: counts failures in a row, decides about the next attempt, and reports what is retried.
struct Retry: Sendable {
    let policy: RetryPolicy
    /// The failures since the last success.
    private(set) var failures = 0
    private var reporter: RetryReporter

    init(_ policy: RetryPolicy) {
        self.policy = policy
        reporter = RetryReporter(policy.operation)
    }

    /// Retries after `retry.backoff.ms`, growing to `retry.backoff.max.ms`.
    init(
        _ operation: String, in cluster: Cluster, until deadline: ContinuousClock.Instant? = nil,
        final: Set<ErrorCode> = [], momentary: Set<ErrorCode> = []
    ) {
        self.init(
            RetryPolicy(
                operation: operation, backoff: cluster.configuration.backoff, deadline: deadline, final: final,
                momentary: momentary))
    }

    /// Counts a failed attempt.
    ///
    /// - Parameter earlier: Failures of related operations, if there were more of them: they lengthen the pause as well.
    /// - Returns: The pause before the next attempt; nil if the error ends the operation, or the time is over.
    mutating func failed(_ error: KafkaError, earlier: Int = 0, in cluster: Cluster) -> Duration? {
        guard error.isRetriable, !policy.final.contains(error.code) else { return nil }
        failures += 1
        let isMomentary = policy.momentary.contains(error.code)
        var pause = policy.backoff.delay(afterFailures: max(failures, earlier), random: cluster.timing.random())
        if isMomentary { pause = min(pause, RetryPolicy.momentaryPause) }
        let now = cluster.timing.now()
        if let deadline = policy.deadline, now + pause >= deadline { return nil }
        if !isMomentary || failures > RetryPolicy.momentaryFailures {
            reporter.failed(error, at: now, retryingAfter: pause, observer: cluster.observer)
        }
        return pause
    }

    /// Counts and reports a failed attempt of an operation that is repeated at an interval anyway, whatever the error, as
    /// a heartbeat is.
    mutating func failed(_ error: KafkaError, repeatedAfter interval: Duration, in cluster: Cluster) {
        failures += 1
        reporter.failed(error, at: cluster.timing.now(), retryingAfter: interval, observer: cluster.observer)
    }

    /// Reports from time to time that one attempt takes long.
    ///
    /// - Parameters:
    ///   - error: The latest error of the attempt.
    ///   - began: When the attempt began.
    mutating func waits(_ error: KafkaError, since began: ContinuousClock.Instant, in cluster: Cluster) {
        reporter.waits(error, at: cluster.timing.now(), since: began, observer: cluster.observer)
    }

    /// Counts a successful attempt. Cheap if none has failed.
    mutating func succeeded(in cluster: Cluster) {
        failures = 0
        reporter.succeeded(at: cluster.timing.now(), observer: cluster.observer)
    }
}
