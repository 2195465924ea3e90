import KafkaWire

/// The coordinator's state of a classic group, as a plain state machine. Waiting JoinGroup and SyncGroup requests get a
/// ticket, by which they find their answer once it is ready.
///
/// Source: Kafka documentation, "Group Membership API"; KIP-62, KIP-345 for static members, KIP-394 for required member
/// ids.
struct ClassicGroup {
    enum Phase: String {
        case empty = "Empty"
        case preparingRebalance = "PreparingRebalance"
        case completingRebalance = "CompletingRebalance"
        case stable = "Stable"
    }

    /// An assignment strategy that a member supports, with the member's metadata for it.
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
        /// When the session expires unless the member sends a request. It does not expire while a request waits.
        var deadline: ContinuousClock.Instant
        var joinTicket: Int?
        var syncTicket: Int?
        /// Whether the member has not requested its assignment of this generation yet.
        var hasToSync = false

        var isWaiting: Bool { joinTicket != nil || syncTicket != nil }

        func metadata(for strategy: String?) -> ByteSlice {
            strategies.first { $0.name == strategy }?.metadata ?? ByteSlice([])
        }
    }

    /// An answer now, or a ticket for a later one.
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
        /// All members with their metadata for the strategy; empty except for the leader.
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
    /// "consumer" for consumers; nil until a member has joined.
    var protocolType: String?
    var strategy: String?
    var leader: String?
    /// In the order in which they joined.
    var members: [Member] = []
    /// Ids given to clients that have not joined with them yet, with their expiry.
    var promised: [String: ContinuousClock.Instant] = [:]
    /// When a rebalance completes without the members that have not joined again.
    var joinDeadline: ContinuousClock.Instant?
    /// When the initial delay of the first rebalance ends, during which it waits for further members even if all have
    /// joined.
    var initialDelayEnd: ContinuousClock.Instant?
    /// When members that have not requested their assignment are removed.
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

    /// The error with which a request of this member has to be refused; `.none` if it is valid.
    func check(_ id: String, instanceID: String?) -> ErrorCode {
        if let instanceID {
            guard let index = index(ofInstance: instanceID) else { return .unknownMemberId }
            if members[index].id != id { return .fencedInstanceId }
        }
        return index(of: id) == nil ? .unknownMemberId : .none
    }

    mutating func extendSession(of index: Int, at now: ContinuousClock.Instant) {
        members[index].deadline = now + members[index].sessionTimeout
    }

    /// Removes a member, and makes the others rebalance.
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

    /// The next time at which something expires; nil if nothing will.
    var nextDeadline: ContinuousClock.Instant? {
        var deadlines = Array(promised.values)
        deadlines += members.lazy.filter { !$0.isWaiting }.map(\.deadline)
        deadlines += [joinDeadline, initialDelayEnd, syncDeadline].compactMap { $0 }
        return deadlines.min()
    }

    /// Handles everything that has expired by `now`.
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

    /// Begins a rebalance. Members learn of it by their heartbeats and join again.
    mutating func prepareRebalance(at now: ContinuousClock.Instant, initialDelay: Duration = .zero) {
        syncDeadline = nil
        for index in members.indices {
            if phase == .completingRebalance { members[index].assignment = ByteSlice([]) }
            guard let ticket = members[index].syncTicket else { continue }
            syncAnswers[ticket] = SyncAnswer(error: .rebalanceInProgress)
            members[index].syncTicket = nil
            extendSession(of: index, at: now)
        }
        if phase == .empty, initialDelay > .zero { initialDelayEnd = now + initialDelay }
        phase = .preparingRebalance
        joinDeadline = now + (members.map(\.rebalanceTimeout).max() ?? .zero)
        completeJoinIfAll(at: now)
    }

    /// Completes the rebalance if all members have joined again.
    mutating func completeJoinIfAll(at now: ContinuousClock.Instant) {
        guard phase == .preparingRebalance, initialDelayEnd == nil, promised.isEmpty else { return }
        if members.allSatisfy({ $0.joinTicket != nil }) { completeJoin(at: now) }
    }

    private mutating func completeJoin(at now: ContinuousClock.Instant) {
        initialDelayEnd = nil
        // Static members stay until their session expires, since they may only be restarting.
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
            // The protocol type stays, but the next member may choose another.
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
            extendSession(of: index, at: now)
        }
    }

    /// The strategy that most members prefer, among those that all of them support.
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

    /// Whether a client with these strategies is compatible with the other members.
    func supports(_ type: String, _ strategies: [Strategy]) -> Bool {
        if members.isEmpty { return !type.isEmpty && !strategies.isEmpty }
        return type == protocolType && strategies.contains { strategiesOfAll.contains($0.name) }
    }

    /// The current generation as a JoinGroup answer for a member.
    func currentAnswer(for id: String) -> JoinAnswer {
        JoinAnswer(
            memberID: id, generation: generation, strategy: strategy, leader: leader ?? "",
            members: id == leader ? joinedMembers : [])
    }

    var joinedMembers: [JoinedMember] {
        members.map { JoinedMember(id: $0.id, instanceID: $0.instanceID, metadata: $0.metadata(for: strategy)) }
    }
}
