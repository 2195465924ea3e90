import KafkaWire

/// A group of the classic protocol as its coordinator sees it: a plain state machine. JoinGroup and SyncGroup wait in
/// it under a ticket, by which their answer is found when it is there.
///
/// Source: Kafka documentation, "Group Membership API"; KIP-62, KIP-345 for static members, KIP-394 for member ids
/// that are required.
struct ClassicGroup {
    enum Phase: String {
        case empty = "Empty"
        case preparingRebalance = "PreparingRebalance"
        case completingRebalance = "CompletingRebalance"
        case stable = "Stable"
    }

    /// A way to assign partitions that a member knows, with what it says to that.
    struct Strategy: Equatable {
        let name: String
        let metadata: ByteSlice
    }

    struct Member {
        let id: String
        let instanceID: String?
        let clientID: String
        var sessionTimeout: Duration
        var rebalanceTimeout: Duration
        var strategies: [Strategy]
        var assignment = ByteSlice([])
        /// When it is put out unless it is heard of. What waits for an answer keeps it in.
        var deadline: ContinuousClock.Instant
        var joinTicket: Int?
        var syncTicket: Int?
        /// Whether it hasn't asked for its assignment of this generation yet.
        var hasToSync = false

        var isWaiting: Bool { joinTicket != nil || syncTicket != nil }

        func metadata(for strategy: String?) -> ByteSlice {
            strategies.first { $0.name == strategy }?.metadata ?? ByteSlice([])
        }
    }

    /// An answer, or that it comes later.
    enum Reply<Answer> {
        case now(Answer)
        case later(ticket: Int)
    }

    struct JoinAnswer: Equatable {
        var error = ErrorCode.none
        var memberID = ""
        var generation: Int32 = -1
        var strategy: String?
        var leader = ""
        /// Of the leader alone: all members with what they say to the strategy.
        var members: [JoinedMember] = []
        var skipsAssignment = false
    }

    struct JoinedMember: Equatable {
        let id: String
        let instanceID: String?
        let metadata: ByteSlice
    }

    struct SyncAnswer: Equatable {
        var error = ErrorCode.none
        var assignment = ByteSlice([])
    }

    var phase = Phase.empty
    var generation: Int32 = 0
    /// "consumer" with consumers; nil until somebody has joined.
    var protocolType: String?
    var strategy: String?
    var leader: String?
    /// In the order in which they came.
    var members: [Member] = []
    /// Ids that were given out to clients that are to join with them, and until when.
    var promised: [String: ContinuousClock.Instant] = [:]
    /// When a rebalance goes on without those who haven't joined again.
    var joinDeadline: ContinuousClock.Instant?
    /// Until when the first rebalance waits for further members even if all have joined.
    var initialDelayEnd: ContinuousClock.Instant?
    /// When those who haven't asked for their assignment are put out.
    var syncDeadline: ContinuousClock.Instant?
    var joinAnswers: [Int: JoinAnswer] = [:]
    var syncAnswers: [Int: SyncAnswer] = [:]
    private var lastTicket = 0

    mutating func nextTicket() -> Int {
        lastTicket += 1
        return lastTicket
    }

    // MARK: Members

    func index(of id: String) -> Int? { members.firstIndex { $0.id == id } }

    func index(ofInstance instance: String?) -> Int? {
        guard let instance else { return nil }
        return members.firstIndex { $0.instanceID == instance }
    }

    /// What keeps a request from being this member's.
    func check(_ id: String, instanceID: String?) -> ErrorCode {
        if let instanceID {
            guard let index = index(ofInstance: instanceID) else { return .unknownMemberId }
            if members[index].id != id { return .fencedInstanceId }
        }
        return index(of: id) == nil ? .unknownMemberId : .none
    }

    mutating func heard(of index: Int, at now: ContinuousClock.Instant) {
        members[index].deadline = now + members[index].sessionTimeout
    }

    /// Takes a member out, and has the others share anew.
    mutating func remove(_ id: String, at now: ContinuousClock.Instant) {
        promised[id] = nil
        guard let index = index(of: id) else { return completeJoinIfAll(at: now) }
        let member = members.remove(at: index)
        if let ticket = member.joinTicket { joinAnswers[ticket] = JoinAnswer(error: .unknownMemberId, memberID: id) }
        if let ticket = member.syncTicket { syncAnswers[ticket] = SyncAnswer(error: .unknownMemberId) }
        if leader == id { leader = members.first?.id }
        switch phase {
        case .stable, .completingRebalance: prepareRebalance(at: now)
        case .preparingRebalance: completeJoinIfAll(at: now)
        case .empty: break
        }
    }

    // MARK: Time

    /// When something happens though nobody asks for anything.
    var nextDeadline: ContinuousClock.Instant? {
        var deadlines = Array(promised.values)
        deadlines += members.lazy.filter { !$0.isWaiting }.map(\.deadline)
        deadlines += [joinDeadline, initialDelayEnd, syncDeadline].compactMap { $0 }
        return deadlines.min()
    }

    /// Lets everything happen whose time has passed.
    mutating func expire(at now: ContinuousClock.Instant) {
        for (id, deadline) in promised where deadline <= now { remove(id, at: now) }
        for member in members where !member.isWaiting && member.deadline <= now { remove(member.id, at: now) }
        if let end = initialDelayEnd, end <= now {
            initialDelayEnd = nil
            completeJoinIfAll(at: now)
        }
        if let deadline = joinDeadline, deadline <= now { completeJoin(at: now) }
        if let deadline = syncDeadline, deadline <= now {
            syncDeadline = nil
            for member in members where member.hasToSync { remove(member.id, at: now) }
        }
    }

    // MARK: Rebalances

    /// Begins a rebalance: members find out by their heartbeats and join again.
    mutating func prepareRebalance(at now: ContinuousClock.Instant, initialDelay: Duration = .zero) {
        syncDeadline = nil
        for index in members.indices {
            if phase == .completingRebalance { members[index].assignment = ByteSlice([]) }
            guard let ticket = members[index].syncTicket else { continue }
            syncAnswers[ticket] = SyncAnswer(error: .rebalanceInProgress)
            members[index].syncTicket = nil
            heard(of: index, at: now)
        }
        if phase == .empty, initialDelay > .zero { initialDelayEnd = now + initialDelay }
        phase = .preparingRebalance
        joinDeadline = now + (members.map(\.rebalanceTimeout).max() ?? .zero)
        completeJoinIfAll(at: now)
    }

    /// Goes on where everybody has joined again.
    mutating func completeJoinIfAll(at now: ContinuousClock.Instant) {
        guard phase == .preparingRebalance, initialDelayEnd == nil, promised.isEmpty else { return }
        if members.allSatisfy({ $0.joinTicket != nil }) { completeJoin(at: now) }
    }

    private mutating func completeJoin(at now: ContinuousClock.Instant) {
        initialDelayEnd = nil
        // Static members stay for their session: they may be away for a moment only.
        members.removeAll { $0.joinTicket == nil && $0.instanceID == nil }
        if !members.contains(where: { $0.id == leader && $0.joinTicket != nil }) {
            leader = members.first { $0.joinTicket != nil }?.id
        }
        if leader == nil, let longest = members.map(\.rebalanceTimeout).max() {
            joinDeadline = now + longest
            return
        }
        joinDeadline = nil
        generation += 1
        guard !members.isEmpty else {
            // The type stays what it was; whoever comes first may choose another.
            phase = .empty
            strategy = nil
            return
        }
        strategy = selectedStrategy
        phase = .completingRebalance
        syncDeadline = now + (members.map(\.rebalanceTimeout).max() ?? .zero)
        for index in members.indices {
            guard let ticket = members[index].joinTicket else { continue }
            members[index].joinTicket = nil
            members[index].hasToSync = true
            joinAnswers[ticket] = currentAnswer(for: members[index].id)
            heard(of: index, at: now)
        }
    }

    /// The strategy that most members would rather have, of those that all of them know.
    var selectedStrategy: String? {
        let common = strategiesOfAll
        var votes: [String: Int] = [:]
        for member in members {
            if let vote = member.strategies.first(where: { common.contains($0.name) }) {
                votes[vote.name, default: 0] += 1
            }
        }
        return votes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }

    private var strategiesOfAll: Set<String> {
        let each = members.map { Set($0.strategies.map(\.name)) }
        return each.dropFirst().reduce(each.first ?? []) { $0.intersection($1) }
    }

    /// Whether a client of these strategies can be a member beside the others.
    func supports(_ type: String, _ strategies: [Strategy]) -> Bool {
        if members.isEmpty { return !type.isEmpty && !strategies.isEmpty }
        return type == protocolType && strategies.contains { strategiesOfAll.contains($0.name) }
    }

    /// The present generation as JoinGroup tells it to a member.
    func currentAnswer(for id: String) -> JoinAnswer {
        JoinAnswer(
            memberID: id, generation: generation, strategy: strategy, leader: leader ?? "",
            members: id == leader ? joinedMembers : [])
    }

    var joinedMembers: [JoinedMember] {
        members.map { JoinedMember(id: $0.id, instanceID: $0.instanceID, metadata: $0.metadata(for: strategy)) }
    }
}
