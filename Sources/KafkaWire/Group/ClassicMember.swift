/// The state machine of a classic group member, without I/O.
///
/// ```
///                 ┌──── REBALANCE_IN_PROGRESS, topics changed, partitions revoked ─────┐
///                 ▼                                                                    │
/// begin ──▶ preparing ──prepared──▶ joining ──joined──▶ syncing ──synced──▶ adopting ──▶ stable
///                 ▲                 │     ▲                │                   │       │
///                 │                 │     └─ REBALANCE_IN_PROGRESS             │       │
///                 └── UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, application away ─┴───────┘
/// ```
///
/// From every state a non-retriable error leads to `failed`, and closing leads to `left`. Sources: Kafka protocol
/// guide, "Group Membership API"; KIP-62, KIP-345, KIP-394, KIP-429.
struct ClassicMember: Sendable {
    enum State: Sendable, Equatable {
        /// Waits for the application, then revokes partitions: all of them, unless the group is cooperative.
        case preparing
        /// JoinGroup has to be sent, or was sent and not answered yet.
        case joining
        /// SyncGroup has to be sent, or was sent and not answered yet.
        case syncing
        /// The member revokes and takes over partitions until it owns these.
        case adopting(Set<TopicPartition>)
        case stable
        case failed(KafkaError)
        case left
    }

    /// The member's identity at the coordinator. An answer is ignored if the identity has changed since the request.
    struct Identity: Sendable, Hashable {
        /// Empty if the coordinator has not assigned one.
        var memberID = ""
        /// -1 if the member is in no generation.
        var generation: Int32 = -1
    }

    enum Event: Sendable {
        /// The partitions were revoked, and the topics to subscribe to are known.
        case prepared(asLost: Bool)
        case joined(Identity)
        /// The answer to JoinGroup assigned a member id for the next JoinGroup (KIP-394).
        case named(String)
        case synced(Set<TopicPartition>)
        /// SyncGroup brought an assignment that can't be decoded. Another generation may have a better one.
        case unreadable
        /// The member owns the assigned partitions. Partitions that it revoked are free for other members.
        case adopted(hasRevoked: Bool)
        /// The current step failed with an error that is not retriable.
        case refused(KafkaError)
        /// A heartbeat or a commit was answered with an error.
        case notified(KafkaError, Identity)
        /// The topics or partition counts differ from those of the last assignment, or the subscription changed.
        case outdated
        /// The application has not asked for a batch within `max.poll.interval.ms`, so the member leaves the group.
        case applicationAway
        case closed
    }

    private(set) var state = State.preparing
    private(set) var identity = Identity()
    /// Whether other members may already own partitions of this member.
    private(set) var hasLost = false
    /// Whether the member has to rejoin as soon as it has adopted the current assignment.
    private(set) var isOutdated = false

    /// Whether the coordinator expects heartbeats.
    ///
    /// It does not while it holds back the answer to JoinGroup. In `syncing` the leader may compute for a long time
    /// before it sends SyncGroup, so heartbeats have to keep its session alive.
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
            // Partitions that were lost meanwhile still have to be revoked as lost.
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
        case (.adopting, .adopted(let hasRevoked)):
            if hasRevoked || isOutdated { prepare() } else { state = .stable }

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
            // The answer to SyncGroup reports a new rebalance as well.
            if sender == identity, error.code != .rebalanceInProgress { refused(error) }
        case (.preparing, .applicationAway), (.adopting, .applicationAway), (.stable, .applicationAway):
            lose(keepingID: false)

        default:
            // The event is outdated: the state has changed since.
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
