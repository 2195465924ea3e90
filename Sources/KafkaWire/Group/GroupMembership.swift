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
        var onRefusal: @Sendable (KafkaError, ConsumerGroupMetadata) async -> Void = { _, _ in }
    }

    init(groupID: String, instanceID: String?) {
        state = Lock(State(metadata: ConsumerGroupMetadata(groupID: groupID, groupInstanceID: instanceID)))
    }

    var metadata: ConsumerGroupMetadata { state.withLock { $0.metadata } }

    func become(memberID: String, generation: Int32) {
        state.withLock { state in
            let old = state.metadata
            state.metadata = ConsumerGroupMetadata(
                groupID: old.groupID, generationID: generation, memberID: memberID,
                groupInstanceID: old.groupInstanceID)
        }
    }

    /// - Parameter handler: Told of a commit that was refused, and of the member that had asked for it.
    func onRefusal(_ handler: @escaping @Sendable (KafkaError, ConsumerGroupMetadata) async -> Void) {
        state.withLock { $0.onRefusal = handler }
    }

    func wasRefused(_ error: KafkaError, _ member: ConsumerGroupMetadata) async {
        let handler = state.withLock { $0.onRefusal }
        await handler(error, member)
    }
}

extension Duration {
    /// Milliseconds as the protocol has them.
    var asMilliseconds: Int32 { Int32(clamping: Int(self / .milliseconds(1))) }
}
