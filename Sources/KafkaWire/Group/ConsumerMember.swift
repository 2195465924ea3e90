/// A partition of a topic that is known by its id.
struct TopicIDPartition: Sendable, Hashable {
    let topicID: KafkaUUID
    let partition: Int32
}

/// A member of a KIP-848 group without its network: what happens, and what is to be done next.
///
/// ```
/// begin ──▶ joining ──accepted──▶ stable ──another assignment──▶ reconciling ──reconciled──▶ stable
///              ▲                    │                                 │
///              └─dropped── fenced ◀─┴── FENCED_MEMBER_EPOCH, UNKNOWN_MEMBER_ID, application away
/// ```
///
/// Everything is said by heartbeats: the first (epoch 0) joins, later ones tell what the member has, and their answers
/// what it is to have. The coordinator gives a partition to another member only after a heartbeat without it.
struct ConsumerMember: Sendable {
    enum State: Sendable, Equatable {
        /// A heartbeat of epoch 0 is to be sent, or on its way.
        case joining
        case stable
        /// Partitions are given up and taken over to have those of `target`.
        case reconciling
        /// The application comes back, and everything is given up as lost.
        case fenced
        case failed(KafkaError)
        /// The consumer is closing. Heartbeats continue until the last commit has ended, since the commit needs the
        /// member's current epoch.
        case leaving
        case left
    }

    enum Event: Sendable {
        /// A heartbeat was answered.
        case accepted(ConsumerGroupHeartbeatResponse, to: Report)
        /// A reconciliation with the present target begins.
        case reconciling
        /// The reconciliation has ended; the member has these partitions now.
        case reconciled(Set<TopicIDPartition>)
        case dropped
        /// A heartbeat, a commit or a reconciliation was refused, for a reason that doesn't pass by itself.
        case refused(KafkaError, epoch: Int32)
        /// A heartbeat wasn't answered.
        case unheard
        case subscribed
        case applicationAway
        /// The consumer is closing, and commits before it leaves.
        case closing
        case closed
    }

    /// What a heartbeat has told.
    struct Report: Sendable, Equatable {
        let epoch: Int32
        let owned: Set<TopicIDPartition>
        let revision: Int
    }

    private(set) var state = State.joining
    private(set) var memberID: String
    private(set) var epoch: Int32 = 0
    /// What the coordinator wants the member to have.
    private(set) var target: Set<TopicIDPartition> = []
    private(set) var owned: Set<TopicIDPartition> = []
    /// The target of the reconciliation under way. It may take these over even if the target has changed since.
    private var reconciling: Set<TopicIDPartition> = []
    /// What the coordinator was told last.
    private var told = Report(epoch: -1, owned: [], revision: -1)
    /// Goes up when the coordinator has to be told everything anew.
    private var revision = 0

    /// - Parameter memberID: Made up by the client, for as long as it lives (KIP-1082).
    init(memberID: String) {
        self.memberID = memberID
    }

    var sendsHeartbeats: Bool {
        switch state {
        case .joining, .stable, .reconciling, .leaving: true
        case .fenced, .failed, .left: false
        }
    }

    /// What the next heartbeat tells.
    var report: Report { Report(epoch: epoch, owned: claimed, revision: revision) }

    /// The partitions that the member has, and those that it may take over before the coordinator reads the heartbeat.
    ///
    /// A heartbeat has to list all of them: the coordinator gives a partition that it doesn't list to another member at
    /// once if the target has moved it there, and then both members read it.
    private var claimed: Set<TopicIDPartition> {
        // A member that joins has nothing.
        epoch == 0 ? [] : owned.union(target).union(reconciling)
    }

    /// Whether the next heartbeat has to carry the whole subscription.
    var tellsEverything: Bool { epoch == 0 || told.revision != revision }

    /// Whether the next heartbeat has to carry the partitions.
    var tellsPartitions: Bool { tellsEverything || told.owned != owned && told.owned != claimed }

    mutating func handle(_ event: Event) {
        switch (state, event) {
        case (.left, _), (.failed, .refused), (.failed, .applicationAway), (.failed, .accepted), (.failed, .closing):
            break
        case (_, .closed):
            state = .left
        // A member without an epoch has nothing to commit.
        case (_, .closing):
            state = epoch > 0 ? .leaving : .left
        case (_, .subscribed), (_, .unheard):
            revision += 1

        case (.joining, .accepted(let response, let report)), (.stable, .accepted(let response, let report)),
            (.reconciling, .accepted(let response, let report)):
            accepted(response, report)
        case (.leaving, .accepted(let response, let report)):
            epoch = response.memberEpoch
            told = report

        case (.reconciling, .reconciling):
            reconciling = target
        case (.reconciling, .reconciled(let owned)):
            self.owned = owned
            reconciling = []
            state = .stable
        case (.fenced, .dropped):
            owned = []
            target = []
            reconciling = []
            state = .joining

        case (.joining, .refused(let error, let epoch)), (.stable, .refused(let error, let epoch)),
            (.reconciling, .refused(let error, let epoch)):
            refused(error, epoch)
        case (.leaving, .refused(let error, let epoch)):
            if error.meansLostMembership {
                guard epoch == self.epoch else { return }
                self.epoch = 0
            }
            state = .left
        case (.joining, .applicationAway), (.stable, .applicationAway), (.reconciling, .applicationAway):
            fence()

        default:
            // Too late: something else has happened since.
            break
        }
    }

    private mutating func accepted(_ response: ConsumerGroupHeartbeatResponse, _ report: Report) {
        if let memberID = response.memberId, !memberID.isEmpty { self.memberID = memberID }
        epoch = response.memberEpoch
        told = report
        if let assignment = response.assignment {
            target = Set(
                assignment.topicPartitions.flatMap { topic in
                    topic.partitions.map { TopicIDPartition(topicID: topic.topicId, partition: $0) }
                })
        }
        if state == .joining { state = .stable }
        if target != owned { state = .reconciling }
    }

    private mutating func refused(_ error: KafkaError, _ epoch: Int32) {
        switch error.code {
        case .fencedMemberEpoch, .unknownMemberId: if epoch == self.epoch { fence() }
        default: state = .failed(error)
        }
    }

    private mutating func fence() {
        epoch = 0
        revision += 1
        state = .fenced
    }
}
