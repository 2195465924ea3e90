/// What a member of a group wants to read.
@nonexhaustive
public enum Subscription: Sendable, Hashable {
    /// These topics, whether they exist yet or not.
    case topics([String])
    /// All topics whose whole name the regular expression matches, also those that come later; Kafka's own are left
    /// out.
    ///
    /// In a classic group the client itself matches (Swift's `Regex`), by metadata of at most `metadata.max.age.ms`.
    /// In a KIP-848 group the broker does, by RE2/J's syntax.
    case pattern(String)
}

/// A change of the partitions that a group member owns.
///
/// The application waits in `next()` meanwhile, so its work on the previous batch is finished: no batch is returned until
/// the handler returns. In a cooperative rebalance only the partitions that move are named.
///
/// Closed: these are the calls of Java's `ConsumerRebalanceListener`, and a member either gets partitions or no longer has
/// them, with or without the chance to commit.
public enum Rebalance: Sendable, Hashable {
    /// These are the member's from now on. Their first batch comes after the handler returns, which may `seek` in them.
    case assigned(Set<TopicPartition>)
    /// These are about to become another member's, which begins once the handler has returned: the place to finish and
    /// to `commit` what is done. Where `enable.auto.commit` is on, what was processed is committed already.
    case revoked(Set<TopicPartition>)
    /// These may be another member's already, since this one was put out of the group or wasn't heard for too long.
    /// Nothing of them can be committed any more.
    case lost(Set<TopicPartition>)
}

/// Called in a rebalance, for example to load and drop state by partitions.
///
/// The group waits for the handler, for `max.poll.interval.ms` at most. These calls of the same consumer would wait for
/// the handler, so they fail at once with OPERATION_NOT_ATTEMPTED and do nothing: `close`, `unsubscribe`, `next` of an
/// iterator, and `subscribe` once the membership has failed or is ending. `commit`, `seek`, `pause` and the others work.
///
/// A task that the handler starts may make these calls if the handler does not wait for it. A child task of the handler
/// (`async let`, a task group) must not.
public typealias RebalanceHandler = @Sendable (Rebalance) async -> Void
