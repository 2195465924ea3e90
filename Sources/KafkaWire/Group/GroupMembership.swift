/// A consumer's membership in a group, with either protocol.
protocol GroupMembership: Actor {
    /// Joins the group and stays a member until `leave`.
    func begin() async
    /// Changes the subscription and the rebalance handler.
    ///
    /// - Returns: False if the membership has ended or is ending.
    func change(_ subscription: Subscription, _ handler: @escaping RebalanceHandler) async -> Bool
    var state: MembershipState { get }
    /// Commits the processed offsets, revokes all partitions, and leaves the group.
    ///
    /// Requests end at the deadline; a rebalance handler may run longer, and this waits for it. A second call waits for
    /// the first one and returns the same result.
    ///
    /// - Returns: The errors of the steps that failed.
    func leave(by deadline: ContinuousClock.Instant) async -> [KafkaError]
}

extension GroupMembership {
    /// Whether an error ended the membership.
    var hasFailed: Bool {
        if case .failed = state { true } else { false }
    }
}

/// The state of a membership.
enum MembershipState: Sendable, Hashable {
    /// The consumer has no assignment yet, or lost its membership and is about to rejoin.
    case joining
    case member
    /// An error ended the membership.
    case failed(KafkaError)
}
