import KafkaWire

/// The coordinator's state of a KIP-848 group, whose partitions the broker assigns: a plain state machine.
///
/// A member gets a partition only after no other member owns it: the group revokes it from its owner, and waits until
/// that member's heartbeat confirms the revocation.
struct ConsumerGroup {
    typealias Slot = ServerAssignor.Slot

    struct Member {
        let id: String
        let instanceID: String?
        var clientID: String
        var rackID: String?
        var rebalanceTimeout: Duration
        var names: [String] = []
        /// A pattern that must match whole topic names.
        var pattern: String?
        var assignor: String?
        var epoch: Int32 = 0
        var previousEpoch: Int32 = -1
        /// The partitions that the member may read.
        var assigned: Set<Slot> = []
        /// The partitions whose revocation the member has not confirmed yet.
        var revoking: Set<Slot> = []
        /// When the session expires unless a heartbeat comes.
        var deadline: ContinuousClock.Instant
        /// When the member is removed unless it has confirmed the revocation.
        var revocationDeadline: ContinuousClock.Instant?
    }

    /// The properties of a topic that matter to a group.
    struct Topic: Equatable {
        let id: KafkaUUID
        let partitionCount: Int
    }

    /// The epoch with which a static member leaves temporarily.
    static let awayEpoch: Int32 = -2
    static let leftEpoch: Int32 = -1

    private(set) var epoch: Int32 = 0
    private(set) var targetEpoch: Int32 = 0
    private(set) var target: [String: Set<Slot>] = [:]
    /// In the order in which they joined.
    var members: [Member] = []
    /// The subscribed topics at the time when the target was computed.
    private var subscribed: [String: Topic] = [:]

    var stateName: String {
        if members.isEmpty { return "Empty" }
        if epoch > targetEpoch { return "Assigning" }
        return members.allSatisfy { $0.epoch == targetEpoch && $0.revoking.isEmpty && $0.assigned == target[$0.id] }
            ? "Stable" : "Reconciling"
    }

    /// The assignor that most members request; the first one if no member requests any.
    var assignor: ServerAssignor {
        var votes: [ServerAssignor: Int] = [:]
        for member in members {
            if let vote = member.assignor.flatMap(ServerAssignor.init) { votes[vote, default: 0] += 1 }
        }
        return ServerAssignor.allCases.max { votes[$0, default: 0] < votes[$1, default: 0] } ?? .uniform
    }

    func index(of id: String) -> Int? { members.firstIndex { $0.id == id } }

    // MARK: Members

    /// Removes a member and frees its partitions.
    mutating func remove(_ id: String) {
        guard let index = index(of: id) else { return }
        members.remove(at: index)
        target[id] = nil
        epoch += 1
    }

    /// Replaces a member, keeping its assignment.
    mutating func replace(_ index: Int, by member: Member) {
        target[member.id] = target.removeValue(forKey: members[index].id)
        members[index] = member
    }

    /// The next time at which something expires; nil if nothing will.
    var nextDeadline: ContinuousClock.Instant? {
        members.flatMap { [$0.deadline, $0.revocationDeadline].compactMap { $0 } }.min()
    }

    mutating func expire(at now: ContinuousClock.Instant) {
        for member in members where member.deadline <= now || member.revocationDeadline.map({ $0 <= now }) == true {
            remove(member.id)
        }
    }

    // MARK: The target

    /// Computes a new assignment if members, subscriptions or topics have changed.
    ///
    /// - Parameters:
    ///   - hasChanged: Whether a member or a subscription has changed.
    ///   - topics: All existing topics.
    mutating func assignIfNeeded(_ hasChanged: Bool, topics: [String: Topic]) {
        let subscribed = topics.filter { name, _ in members.contains { $0.wants(name) } }
        if hasChanged || subscribed != self.subscribed { epoch += 1 }
        self.subscribed = subscribed
        guard epoch > targetEpoch else { return }
        var subscriptions: [String: Set<KafkaUUID>] = [:]
        for member in members {
            subscriptions[member.id] = Set(subscribed.filter { member.wants($0.key) }.map(\.value.id))
        }
        let counts = Dictionary(
            subscribed.values.map { ($0.id, $0.partitionCount) }, uniquingKeysWith: { first, _ in first })
        target = assignor.assign(subscriptions, partitions: counts, present: target)
        targetEpoch = epoch
    }

    // MARK: Reconciliation

    /// Moves a member towards its target: revokes partitions first, then assigns new ones.
    ///
    /// - Parameter owned: The partitions that the member reports; nil if it reports none.
    mutating func reconcile(_ index: Int, owned: Set<Slot>?, at now: ContinuousClock.Instant) {
        var member = members[index]
        let target = target[member.id] ?? []
        if !member.revoking.isEmpty {
            guard let owned, owned.isDisjoint(with: member.revoking) else { return }
            member.revoking = []
            member.revocationDeadline = nil
        } else if member.epoch == targetEpoch, member.assigned == target {
            return
        }
        let toRevoke = member.assigned.subtracting(target)
        member.assigned.formIntersection(target)
        // A member that does not report its partitions may still own them.
        if !toRevoke.isEmpty, owned.map({ !$0.isDisjoint(with: toRevoke) }) ?? true {
            member.revoking = toRevoke
            member.revocationDeadline = now + member.rebalanceTimeout
        } else {
            let others = members.indices.filter { $0 != index }
            let taken = others.reduce(into: Set<Slot>()) {
                $0.formUnion(members[$1].assigned.union(members[$1].revoking))
            }
            member.assigned = target.subtracting(taken.subtracting(member.assigned))
            if member.epoch != targetEpoch {
                member.previousEpoch = member.epoch
                member.epoch = targetEpoch
            }
        }
        members[index] = member
    }

    // MARK: Commits

    /// Checks whether this member may commit or fetch offsets.
    func check(_ id: String, epoch: Int32, isTransactional: Bool = false, isFetch: Bool = false) -> ErrorCode {
        if epoch < 0, members.isEmpty { return .none }
        if epoch < 0, id.isEmpty, isTransactional || isFetch { return .none }
        guard let index = index(of: id) else { return .unknownMemberId }
        return members[index].epoch == epoch ? .none : .staleMemberEpoch
    }
}

extension ConsumerGroup.Member {
    func wants(_ topic: String) -> Bool {
        if names.contains(topic) { return true }
        guard let pattern, let matcher = TopicPattern(pattern) else { return false }
        return matcher.matches(topic)
    }
}
