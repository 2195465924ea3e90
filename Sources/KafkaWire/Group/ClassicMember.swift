/// A member of a classic group without its network: what happens, and what is to be done next.
///
/// ```
///                 ┌──── REBALANCE_IN_PROGRESS, topics changed, partitions given up ────┐
///                 ▼                                                                    │
/// begin ──▶ preparing ──prepared──▶ joining ──joined──▶ syncing ──synced──▶ adopting ──▶ stable
///                 ▲                 │     ▲                │                   │       │
///                 │                 │     └─ REBALANCE_IN_PROGRESS             │       │
///                 └── UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, application away ─┴───────┘
/// ```
///
/// From everywhere an error that no retry cures leads to `failed`, and closing to `left`. Sources: Kafka protocol guide,
/// "Group Membership API"; KIP-62, KIP-345, KIP-394, KIP-429.
struct ClassicMember: Sendable {
    enum State: Sendable, Equatable {
        /// The application comes back, and partitions are given up: all of them, unless the group is cooperative.
        case preparing
        /// JoinGroup is to be sent, or on its way.
        case joining
        /// SyncGroup is to be sent, or on its way.
        case syncing
        /// Partitions are given up and taken over to have these.
        case adopting(Set<TopicPartition>)
        case stable
        case failed(KafkaError)
        case left
    }

    /// By what the coordinator knows the member; an answer counts only for the one that had asked.
    struct Identity: Sendable, Hashable {
        /// Empty where the coordinator has given none.
        var memberID = ""
        /// -1 where it is in none.
        var generation: Int32 = -1
    }

    enum Event: Sendable {
        case prepared(asLost: Bool)
        case joined(Identity)
        /// JoinGroup was answered with an id to join with (KIP-394).
        case named(String)
        case synced(Set<TopicPartition>)
        /// SyncGroup brought an assignment that can't be decoded. Another generation may have a better one.
        case unreadable
        /// Every partition is as assigned; those that were given up are free for others now.
        case adopted(hasGivenUp: Bool)
        /// The step that is under way was refused, for a reason that doesn't pass by itself.
        case refused(KafkaError)
        /// A heartbeat or a commit was answered with an error.
        case notified(KafkaError, Identity)
        /// Topics or partitions aren't what the last assignment was made for.
        case outdated
        /// The application hasn't asked for a batch within `max.poll.interval.ms`; the coordinator was told.
        case applicationAway
        case closed
    }

    private(set) var state = State.preparing
    private(set) var identity = Identity()
    /// Whether partitions that this member has may be another's already.
    private(set) var hasLost = false
    /// Whether the group is to be joined again as soon as this generation stands.
    private(set) var isOutdated = false

    /// Whether the coordinator expects heartbeats. It does not while it holds back the answer to JoinGroup. In `syncing`
    /// the leader may compute for long before it sends SyncGroup, so it has to keep its session.
    var sendsHeartbeats: Bool {
        switch state {
        case .preparing, .syncing, .adopting, .stable: identity.generation >= 0
        case .joining, .failed, .left: false
        }
    }

    mutating func handle(_ event: Event) {
        switch (state, event) {
        case (.left, _), (.failed, .outdated), (.failed, .applicationAway), (.failed, .notified), (.failed, .refused):
            break
        case (_, .closed):
            state = .left

        case (.preparing, .prepared(let asLost)):
            // What was lost meanwhile has to be given up as such.
            guard asLost == hasLost else { break }
            hasLost = false
            state = .joining

        case (.joining, .joined(let identity)):
            self.identity = identity
            state = .syncing
        case (.joining, .named(let memberID)):
            identity = Identity(memberID: memberID)

        case (.syncing, .synced(let partitions)):
            state = .adopting(partitions)
        case (.syncing, .unreadable):
            state = .joining
        case (.adopting, .adopted(let hasGivenUp)):
            if hasGivenUp || isOutdated { prepare() } else { state = .stable }

        case (.stable, .outdated):
            prepare()
        case (_, .outdated):
            isOutdated = true

        case (.preparing, .refused(let error)), (.joining, .refused(let error)), (.syncing, .refused(let error)),
            (.adopting, .refused(let error)):
            refused(error)
        case (.preparing, .notified(let error, let sender)), (.adopting, .notified(let error, let sender)),
            (.stable, .notified(let error, let sender)):
            if sender == identity { refused(error) }
        case (.syncing, .notified(let error, let sender)):
            // A rebalance that has begun shows in the answer to SyncGroup as well.
            if sender == identity, error.code != .rebalanceInProgress { refused(error) }
        case (.preparing, .applicationAway), (.adopting, .applicationAway), (.stable, .applicationAway):
            lose(keepingID: false)

        default:
            // Too late: something else has happened since.
            break
        }
    }

    private mutating func refused(_ error: KafkaError) {
        switch (state, error.code) {
        case (.stable, .rebalanceInProgress): prepare()
        case (.adopting, .rebalanceInProgress): isOutdated = true
        case (.preparing, .rebalanceInProgress): break
        case (.joining, .rebalanceInProgress), (.syncing, .rebalanceInProgress): state = .joining
        case (_, .unknownMemberId): lose(keepingID: false)
        case (_, .illegalGeneration): lose(keepingID: true)
        default: state = .failed(error)
        }
    }

    private mutating func lose(keepingID: Bool) {
        identity = Identity(memberID: keepingID ? identity.memberID : "")
        hasLost = true
        prepare()
    }

    private mutating func prepare() {
        isOutdated = false
        state = .preparing
    }
}
