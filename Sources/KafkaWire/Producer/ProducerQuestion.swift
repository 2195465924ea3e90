import Concurrency

/// A question to the cluster that is asked beside everything else: never twice at once, and again only after a pause.
struct ProducerQuestion {
    private var isUnderWay = false
    private var failures = 0
    private var notBefore: ContinuousClock.Instant?

    /// When it may be asked again; nil while the answer is awaited, and where it may be asked at once.
    var nextAttempt: ContinuousClock.Instant? { isUnderWay ? nil : notBefore }

    /// Whether it may be asked now. It counts as asked then, until one of the other two is called.
    mutating func begin(at now: ContinuousClock.Instant) -> Bool {
        guard !isUnderWay, notBefore.map({ $0 <= now }) ?? true else { return false }
        isUnderWay = true
        return true
    }

    /// - Parameter notBefore: When it may be asked again; nil for at once.
    mutating func answered(notBefore: ContinuousClock.Instant? = nil) {
        isUnderWay = false
        failures = 0
        self.notBefore = notBefore
    }

    mutating func failed(at now: ContinuousClock.Instant, _ backoff: Backoff, random: Double) {
        isUnderWay = false
        failures += 1
        notBefore = now + backoff.delay(afterFailures: failures, random: random)
    }
}
