import Concurrency

/// The member's current identity (member id, generation), used when committing offsets.
final class GroupIdentity: Sendable {
    private let state: Lock<State>

    private struct State {
        var metadata: ConsumerGroupMetadata
        /// The identity from the previous membership, kept for late commits.
        var last: ConsumerGroupMetadata?
        var membership = 0
        /// Counts the assignments of partitions.
        var assignments = 0
        /// For each owned partition the value of `assignments` when the member took it over.
        var owned: [TopicPartition: Int] = [:]
        var onRefusal: @Sendable (KafkaError, ConsumerGroupMetadata) async -> Bool = { _, _ in false }
        weak var buffer: FetchBuffer?
        var revocationHandler: RevocationHandler?
    }

    /// Finishes work on partitions before they are revoked, or drops it if they are lost, within a time limit.
    typealias RevocationHandler = @Sendable (Set<TopicPartition>, _ areLost: Bool, _ limit: Duration) async -> Void

    init(groupID: String, instanceID: String?) {
        state = Lock(State(metadata: ConsumerGroupMetadata(groupID: groupID, groupInstanceID: instanceID)))
    }

    var metadata: ConsumerGroupMetadata { state.withLock { $0.metadata } }

    /// The identity for committing offsets that the consumer has read, even after it lost its membership.
    ///
    /// The coordinator refuses an outdated identity but accepts a missing one, so the previous one is used.
    var ofReader: ConsumerGroupMetadata {
        state.withLock { state in
            let isMember = state.metadata.generationID >= 0
            var metadata = isMember ? state.metadata : state.last ?? state.metadata
            metadata.origin = ConsumerGroupMetadata.Origin(
                identity: self, membership: isMember ? state.membership : nil, assignments: state.assignments)
            return metadata
        }
    }

    /// Forgets the previous membership: the application now assigns partitions itself.
    func forget() {
        state.withLock { $0.last = nil }
    }

    /// A counter that increases whenever the member loses its membership or leaves.
    ///
    /// Other members may own the partitions of an earlier membership, even if this consumer is a member again.
    var membership: Int { state.withLock { $0.membership } }

    var current: (metadata: ConsumerGroupMetadata, membership: Int) {
        state.withLock { ($0.metadata, $0.membership) }
    }

    func become(memberID: String, generation: Int32) {
        state.withLock { state in
            let old = state.metadata
            if old.generationID >= 0 { state.last = old }
            if old.generationID >= 0, generation < 0 {
                state.membership += 1
                state.owned = [:]
            }
            state.metadata = ConsumerGroupMetadata(
                groupID: old.groupID, generationID: generation, memberID: memberID,
                groupInstanceID: old.groupInstanceID)
        }
    }

    // MARK: Revocation

    /// - Returns: False if there is a handler already.
    func setRevocationHandler(_ handler: @escaping RevocationHandler) -> Bool {
        state.withLock { state in
            guard state.revocationHandler == nil else { return false }
            state.revocationHandler = handler
            return true
        }
    }

    func removeRevocationHandler() {
        state.withLock { $0.revocationHandler = nil }
    }

    /// Waits for work on partitions that are about to be revoked.
    func prepareRevocation(of partitions: Set<TopicPartition>, areLost: Bool, within limit: Duration) async {
        await state.withLock { $0.revocationHandler }?(partitions, areLost, limit)
    }

    // MARK: Partitions

    /// Sets the buffer that the consumer reads its partitions from.
    func reads(from buffer: FetchBuffer) {
        state.withLock { $0.buffer = buffer }
    }

    func tookOver(_ partitions: some Sequence<TopicPartition>) {
        state.withLock { state in
            state.assignments += 1
            for partition in partitions { state.owned[partition] = state.assignments }
        }
    }

    func released(_ partitions: some Sequence<TopicPartition>) {
        state.withLock { state in
            for partition in partitions { state.owned[partition] = nil }
        }
    }

    /// The member's current identity; nil if it has not owned the partitions continuously since `origin`.
    fileprivate func current(
        owning partitions: some Sequence<TopicPartition>, since origin: ConsumerGroupMetadata.Origin
    ) -> ConsumerGroupMetadata? {
        state.withLock { state in
            guard state.metadata.generationID >= 0, state.membership == origin.membership else { return nil }
            for partition in partitions {
                guard let taken = state.owned[partition], taken <= origin.assignments else { return nil }
            }
            return state.metadata
        }
    }

    /// The topic id of each partition that the application has read; zero for partitions that it has not read.
    func topicIDs(of partitions: some Sequence<TopicPartition>) -> [TopicPartition: KafkaUUID] {
        let buffer = state.withLock { $0.buffer }
        guard let buffer else { return [:] }
        let ids = buffer.collect(\.readTopicID)
        return Dictionary(partitions.map { ($0, ids[$0] ?? .zero) }) { first, _ in first }
    }

    // MARK: Refused commits

    /// - Parameter handler: Receives the error of a refused commit and the identity that sent it. Returns true if the
    ///   member is about to learn its next generation.
    func onRefusal(_ handler: @escaping @Sendable (KafkaError, ConsumerGroupMetadata) async -> Bool) {
        state.withLock { $0.onRefusal = handler }
    }

    /// Whether a refused commit may be retried because the group and this member are moving to the next generation.
    ///
    /// The caller checks that the member still owns the partitions.
    ///
    /// - Parameters:
    ///   - sender: The identity that the commit was sent with.
    ///   - membership: The `membership` that `sender` belongs to.
    func mayRepeat(_ error: KafkaError, sentAs sender: ConsumerGroupMetadata, membership: Int) async -> Bool {
        switch error.code {
        case .rebalanceInProgress:
            return true
        case .staleMemberEpoch:
            let handler = state.withLock { $0.onRefusal }
            _ = await handler(error, sender)
            return true
        case _ where error.meansLostMembership:
            let handler = state.withLock { $0.onRefusal }
            let isJoining = await handler(error, sender)
            let next = current
            let hasJoined =
                error.code == .illegalGeneration && next.metadata != sender && next.membership == membership
            return isJoining || hasJoined
        default:
            return false
        }
    }
}

extension ConsumerGroupMetadata {
    /// The consumer that a value was taken from, and its state at that time.
    struct Origin: Sendable {
        let identity: GroupIdentity
        /// nil if the consumer was not a member.
        let membership: Int?
        /// How many assignments the consumer had received.
        let assignments: Int
    }

    /// The consumer's current identity.
    ///
    /// nil if the consumer has not owned these partitions continuously since this value was taken, or if the
    /// application created this value itself.
    func current(owning partitions: some Sequence<TopicPartition>) -> ConsumerGroupMetadata? {
        origin.flatMap { $0.identity.current(owning: partitions, since: $0) }
    }

    /// The topic id of each partition that the consumer has read; zero for the others.
    func topicIDs(of partitions: some Sequence<TopicPartition>) -> [TopicPartition: KafkaUUID] {
        origin?.identity.topicIDs(of: partitions) ?? [:]
    }

    /// Whether refused offsets may be resent with the member's next generation.
    func mayRepeat(
        _ error: KafkaError, sentAs sender: ConsumerGroupMetadata, owning partitions: some Sequence<TopicPartition>
    ) async -> Bool {
        guard error.isFromBroker, let origin, let membership = origin.membership,
            await origin.identity.mayRepeat(error, sentAs: sender, membership: membership)
        else { return false }
        return current(owning: partitions) != nil
    }
}
