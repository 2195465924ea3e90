/// Finds the lock holders that are stuck in a COPY, by comparing what they have received from one lookup to the next.
///
/// A consumer sends the rows of a batch that is complete in memory, so a COPY that receives nothing for this long belongs
/// to a process that is stopped, or whose network is gone. The server has no time limit for such a session:
/// `idle_in_transaction_session_timeout` does not count while it waits for the rows of a COPY, and neither
/// `statement_timeout` nor a request to cancel interrupts that wait.
struct StalledCopies: Sendable {
    /// The same time after which the server itself ends a consumer's session that is idle in its transaction
    /// (``Sink/transactionSettings``).
    static let defaultLimit = Duration.seconds(25)

    let limit: Duration
    /// For each session the progress that was seen last, and since when it has been the same.
    private var seen: [Int32: (progress: String, since: ContinuousClock.Instant)] = [:]

    init(limit: Duration = defaultLimit) {
        self.limit = limit
    }

    /// Takes the result of a lookup.
    ///
    /// - Parameter holders: All present holders. Those of earlier lookups that are missing are forgotten.
    /// - Returns: The holders whose COPY has received nothing for at least the limit.
    mutating func add(_ holders: [LockHolder], at now: ContinuousClock.Instant) -> [LockHolder] {
        let earlier = seen
        seen = [:]
        return holders.filter { holder in
            guard let progress = holder.copyProgress else { return false }
            let same = earlier[holder.pid].flatMap { $0.progress == progress ? $0.since : nil }
            let since = same ?? now
            seen[holder.pid] = (progress, since)
            return now - since >= limit
        }
    }
}
