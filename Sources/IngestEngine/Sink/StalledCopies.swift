/// Finds lock holders that are stuck in a COPY by comparing their progress between lookups.
///
/// A consumer sends the rows of a batch that is complete in memory. So a COPY that receives nothing for this long
/// belongs to a process that is suspended or has lost its network. The server has no time limit for such a session:
/// `idle_in_transaction_session_timeout` doesn't apply while it waits for the rows of a COPY, and neither
/// `statement_timeout` nor a cancel request interrupts that wait.
struct StalledCopies: Sendable {
    /// The time after which the server itself terminates a consumer's session that is idle in its transaction
    /// (``Sink/transactionSettings``).
    static let defaultLimit = Duration.seconds(25)

    let limit: Duration
    /// The last progress of each session, and since when it has been the same.
    private var seen: [Int32: (progress: String, since: ContinuousClock.Instant)] = [:]

    init(limit: Duration = defaultLimit) {
        self.limit = limit
    }

    /// Adds the result of a lookup.
    ///
    /// - Parameter holders: All current holders. Others are forgotten.
    /// - Returns: The holders whose COPY has received nothing for at least `limit`.
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
