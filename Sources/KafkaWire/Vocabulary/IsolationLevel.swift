/// Which records a consumer gets where producers write in transactions (`isolation.level`, KIP-98).
public enum IsolationLevel: Int8, Sendable {
    /// All of them, also those of transactions that are under way or were aborted.
    case readUncommitted = 0
    /// Those that are committed, and those outside transactions; only up to the first transaction that isn't decided
    /// yet (the last stable offset).
    case readCommitted = 1
}
