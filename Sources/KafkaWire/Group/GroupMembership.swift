/// A consumer's membership in a group, with either protocol.
protocol GroupMembership: Actor {
    /// Joins, and stays in until `leave`.
    func begin() async
    /// Changes the subscription and the rebalance handler.
    ///
    /// - Returns: False if the membership has ended or is ending.
    func change(_ subscription: Subscription, _ handler: @escaping RebalanceHandler) async -> Bool
    var state: MembershipState { get }
    /// Commits what was processed, gives all partitions up, and leaves.
    ///
    /// Requests are not waited for beyond the deadline, a rebalance handler is. A second call waits for the first one, and
    /// returns the same.
    ///
    /// - Returns: What could not be done.
    func leave(by deadline: ContinuousClock.Instant) async -> [KafkaError]
}

extension GroupMembership {
    /// Whether an error ended the membership.
    var hasFailed: Bool {
        if case .failed = state { true } else { false }
    }
}

/// What a member of a group is doing.
enum MembershipState: Sendable, Hashable {
    /// Has no assignment, or is about to join again after it lost its membership.
    case joining
    case member
    /// An error ended the membership.
    case failed(KafkaError)
}
