import Concurrency

/// When something may be looked up in the cluster: never twice at once, and after a failure only after a pause.
struct PendingLookup {
    private var isUnderWay = false
    private var failures = 0
    private var notBefore: ContinuousClock.Instant?

    /// When the next lookup may begin; nil while one is under way, and if one may begin at once.
    var nextAttempt: ContinuousClock.Instant? { isUnderWay ? nil : notBefore }

    /// Begins a lookup, if one may begin now. It ends with `succeeded` or `failed`.
    ///
    /// - Returns: Whether it begins.
    mutating func begin(at now: ContinuousClock.Instant) -> Bool {
        guard !isUnderWay, notBefore.map({ $0 <= now }) ?? true else { return false }
        isUnderWay = true
        return true
    }

    /// - Parameter notBefore: When the next one may begin; nil for at once.
    mutating func succeeded(notBefore: ContinuousClock.Instant? = nil) {
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
