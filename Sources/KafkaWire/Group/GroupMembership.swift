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
        /// As what the coordinator knew the member when it was one last.
        var last: ConsumerGroupMetadata?
        var membership = 0
        var onRefusal: @Sendable (KafkaError, ConsumerGroupMetadata) async -> Bool = { _, _ in false }
    }

    init(groupID: String, instanceID: String?) {
        state = Lock(State(metadata: ConsumerGroupMetadata(groupID: groupID, groupInstanceID: instanceID)))
    }

    var metadata: ConsumerGroupMetadata { state.withLock { $0.metadata } }

    /// The same for who commits what it has read as a member, also when it isn't one any more: an identity that is over
    /// is refused, but none at all is not.
    var ofReader: ConsumerGroupMetadata {
        state.withLock { state in state.metadata.generationID >= 0 ? state.metadata : state.last ?? state.metadata }
    }

    /// What is read from now on isn't read as a member.
    func forget() {
        state.withLock { $0.last = nil }
    }

    /// Goes up whenever the member is put out or leaves: what was read before is somebody else's from then on, though
    /// this member may be back in the meantime.
    var membership: Int { state.withLock { $0.membership } }

    var current: (metadata: ConsumerGroupMetadata, membership: Int) {
        state.withLock { ($0.metadata, $0.membership) }
    }

    func become(memberID: String, generation: Int32) {
        state.withLock { state in
            let old = state.metadata
            if old.generationID >= 0 { state.last = old }
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
