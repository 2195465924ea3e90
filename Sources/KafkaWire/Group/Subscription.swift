/// The topics that a group member subscribes to.
@nonexhaustive
public enum Subscription: Sendable, Hashable {
    /// These topics. They need not exist yet.
    case topics([String])
    /// All topics whose whole name matches the regular expression, including topics created later. Kafka's internal
    /// topics are excluded.
    ///
    /// In a classic group the client matches (Swift's `Regex`), with metadata that is at most `metadata.max.age.ms`
    /// old. In a KIP-848 group the broker matches, with RE2/J's syntax.
    case pattern(String)
}

/// A change of the partitions that a group member owns.
///
/// The application waits in `next()` while the handler runs, so it is not processing a batch, and it gets none until
/// the handler returns. A cooperative rebalance reports only the partitions that move.
///
/// Closed: these are the calls of Java's `ConsumerRebalanceListener`, and a member either gets partitions or no longer has
/// them, with or without the chance to commit.
public enum Rebalance: Sendable, Hashable {
    /// The member now owns these partitions. Their first batch comes after the handler returns, so the handler may
    /// `seek`.
    case assigned(Set<TopicPartition>)
    /// The member is about to lose these partitions. Another member may start reading them after the handler returns,
    /// so finish and `commit` here. With `enable.auto.commit` the processed offsets were committed before.
    case revoked(Set<TopicPartition>)
    /// Other members may already own these partitions, because the coordinator removed this member from the group.
    /// Their offsets can no longer be committed.
    case lost(Set<TopicPartition>)
}

/// A function that is called in a rebalance, for example to load and drop per-partition state.
///
/// The group waits for the handler, for `max.poll.interval.ms` at most. Some calls of the same consumer would wait for
/// the handler. They fail at once with OPERATION_NOT_ATTEMPTED and do nothing: `close`, `unsubscribe`, `next` of an
/// iterator, and `subscribe` once the membership has failed or is ending. `commit`, `seek`, `pause` and the others
/// work.
///
/// A task that the handler starts may make these calls if the handler does not wait for it. A child task of the handler
/// (`async let`, a task group) must not.
public typealias RebalanceHandler = @Sendable (Rebalance) async -> Void
