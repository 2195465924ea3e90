import Concurrency

/// Being a member of a group, whichever protocol it has.
protocol GroupMembership: Actor {
    /// Joins, and stays in until `leave`.
    func begin() async
    /// Wants something else from now on.
    func change(_ subscription: Subscription) async
    /// Whether an error has ended it.
    var hasFailed: Bool { get }
    /// Gives everything up and leaves, as far as the coordinator can be reached at once.
    func leave() async
}

/// As what the coordinator knows a member at the moment, for those who commit.
final class GroupIdentity: Sendable {
    private let state: Lock<State>

    private struct State {
        var metadata: ConsumerGroupMetadata
        var membership = 0
        var onRefusal: @Sendable (KafkaError, ConsumerGroupMetadata) async -> Bool = { _, _ in false }
    }

    init(groupID: String, instanceID: String?) {
        state = Lock(State(metadata: ConsumerGroupMetadata(groupID: groupID, groupInstanceID: instanceID)))
    }

    var metadata: ConsumerGroupMetadata { state.withLock { $0.metadata } }

    /// Goes up whenever the member is put out or leaves: what was read before is somebody else's from then on, though
    /// this member may be back in the meantime.
    var membership: Int { state.withLock { $0.membership } }

    var current: (metadata: ConsumerGroupMetadata, membership: Int) {
        state.withLock { ($0.metadata, $0.membership) }
    }

    func become(memberID: String, generation: Int32) {
        state.withLock { state in
            let old = state.metadata
            if old.generationID >= 0, generation < 0 { state.membership += 1 }
            state.metadata = ConsumerGroupMetadata(
                groupID: old.groupID, generationID: generation, memberID: memberID,
                groupInstanceID: old.groupInstanceID)
        }
    }

    /// - Parameter handler: Told of a commit that was refused, and of the member that had asked for it. Returns whether
    ///   that is a moment's matter, since the member is about to hear of its next generation.
    func onRefusal(_ handler: @escaping @Sendable (KafkaError, ConsumerGroupMetadata) async -> Bool) {
        state.withLock { $0.onRefusal = handler }
    }

    /// - Returns: Whether the same commit may be taken in a moment.
    func wasRefused(_ error: KafkaError, _ member: ConsumerGroupMetadata) async -> Bool {
        let handler = state.withLock { $0.onRefusal }
        return await handler(error, member)
    }
}

extension Duration {
    /// Milliseconds as the protocol has them.
    var asMilliseconds: Int32 { Int32(clamping: Int(self / .milliseconds(1))) }
}
