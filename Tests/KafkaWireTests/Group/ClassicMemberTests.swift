import Testing

@testable import KafkaWire

private let member1 = ClassicMember.Identity(memberID: "m", generation: 1)
private let member2 = ClassicMember.Identity(memberID: "m", generation: 2)
private let assigned: Set = [TopicPartition("t", 0)]

private func error(_ code: ErrorCode) -> KafkaError { KafkaError(code, "no", isFromBroker: true) }

@Suite("State transitions of a classic group member")
struct ClassicMemberTests {
    /// The events that lead from the initial state to another one.
    static let toJoining: [ClassicMember.Event] = [.prepared(asLost: false)]
    static let toSyncing = toJoining + [.joined(member1)]
    static let toAdopting = toSyncing + [.synced(assigned)]
    static let toStable = toAdopting + [.adopted(hasRevoked: false)]

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let events: [ClassicMember.Event]
        let state: ClassicMember.State
        var identity = member1
        var hasLost = false
        var sendsHeartbeats = false

        init(
            _ name: String, _ before: [ClassicMember.Event], _ events: ClassicMember.Event...,
            leadTo state: ClassicMember.State, as identity: ClassicMember.Identity = member1, lost: Bool = false,
            beats: Bool = false
        ) {
            testDescription = name
            self.events = before + events
            (self.state, self.identity, hasLost, sendsHeartbeats) = (state, identity, lost, beats)
        }
    }

    static let nobody = ClassicMember.Identity()
    static let nameOnly = ClassicMember.Identity(memberID: "m")

    static let rows = [
        Row("begins", [], leadTo: .preparing, as: nobody),
        Row("prepared with nothing to revoke", toJoining, leadTo: .joining, as: nobody),
        Row("the coordinator assigns a member id first", toJoining, .named("m"), leadTo: .joining, as: nameOnly),
        Row("joined", toSyncing, leadTo: .syncing, beats: true),
        Row("synced", toAdopting, leadTo: .adopting(assigned), beats: true),
        Row("adopted", toStable, leadTo: .stable, beats: true),

        Row(
            "revoked partitions for other members: rejoins", toAdopting, .adopted(hasRevoked: true), leadTo: .preparing,
            beats: true),
        Row(
            "a rebalance begins", toStable, .notified(error(.rebalanceInProgress), member1), leadTo: .preparing,
            beats: true),
        Row(
            "a rebalance begins while the member takes over partitions", toAdopting,
            .notified(error(.rebalanceInProgress), member1), .adopted(hasRevoked: false), leadTo: .preparing,
            beats: true),
        Row(
            "two notifications of the same rebalance", toStable, .notified(error(.rebalanceInProgress), member1),
            .notified(error(.rebalanceInProgress), member1), leadTo: .preparing, beats: true),
        Row("the topics change", toStable, .outdated, leadTo: .preparing, beats: true),
        Row(
            "the topics change while joining", toJoining, .outdated, .joined(member1), .synced(assigned),
            .adopted(hasRevoked: false), leadTo: .preparing, beats: true),
        Row(
            "the second generation", toStable, .outdated, .prepared(asLost: false), .joined(member2),
            .synced(assigned), .adopted(hasRevoked: false), leadTo: .stable, as: member2, beats: true),

        Row(
            "a rebalance overtakes the join", toJoining, .refused(error(.rebalanceInProgress)), leadTo: .joining,
            as: nobody),
        Row("a rebalance overtakes the sync", toSyncing, .refused(error(.rebalanceInProgress)), leadTo: .joining),
        Row(
            "JoinGroup is refused with UNKNOWN_MEMBER_ID", toJoining + [.named("m")], .refused(error(.unknownMemberId)),
            leadTo: .preparing,
            as: nobody, lost: true),
        Row(
            "SyncGroup is refused with ILLEGAL_GENERATION", toSyncing, .refused(error(.illegalGeneration)),
            leadTo: .preparing,
            as: nameOnly, lost: true),
        Row(
            "a heartbeat reports the removal of the member", toStable, .notified(error(.unknownMemberId), member1),
            leadTo: .preparing,
            as: nobody, lost: true),
        Row(
            "a commit is refused with ILLEGAL_GENERATION", toStable, .notified(error(.illegalGeneration), member1),
            leadTo: .preparing,
            as: nameOnly, lost: true),
        Row(
            "removed during a revocation: those partitions are lost too", toStable, .outdated,
            .notified(error(.unknownMemberId), member1), .prepared(asLost: false), leadTo: .preparing, as: nobody,
            lost: true),
        Row(
            "removed while syncing, reported by a heartbeat", toSyncing, .notified(error(.unknownMemberId), member1),
            .synced(assigned), leadTo: .preparing, as: nobody, lost: true),
        Row(
            "not authorized while syncing, reported by a heartbeat", toSyncing,
            .notified(error(.groupAuthorizationFailed), member1), .synced(assigned),
            leadTo: .failed(error(.groupAuthorizationFailed))),
        Row(
            "a rebalance that begins while syncing is reported by SyncGroup, not by the heartbeat", toSyncing,
            .notified(error(.rebalanceInProgress), member1), leadTo: .syncing, beats: true),
        Row(
            "lost partitions are revoked as lost", toStable, .notified(error(.unknownMemberId), member1),
            .prepared(asLost: true), leadTo: .joining, as: nobody),
        Row(
            "a response for an earlier generation is ignored", toStable, .outdated, .prepared(asLost: false),
            .joined(member2), .synced(assigned), .adopted(hasRevoked: false),
            .notified(error(.illegalGeneration), member1), leadTo: .stable, as: member2, beats: true),
        Row(
            "a heartbeat's response while joining is ignored", toStable, .outdated, .prepared(asLost: false),
            .notified(error(.rebalanceInProgress), member1), leadTo: .joining),

        Row(
            "the application exceeds max.poll.interval.ms", toStable, .applicationAway, leadTo: .preparing, as: nobody,
            lost: true),
        Row(
            "the application exceeds max.poll.interval.ms during a rebalance", toStable, .outdated, .applicationAway,
            leadTo: .preparing,
            as: nobody, lost: true),
        Row(
            "the application exceeds max.poll.interval.ms while adopting", toAdopting, .applicationAway,
            .adopted(hasRevoked: false), leadTo: .preparing,
            as: nobody, lost: true),

        Row(
            "another member has the instance id", toStable, .notified(error(.fencedInstanceId), member1),
            leadTo: .failed(error(.fencedInstanceId))),
        Row(
            "not authorized to join", toJoining, .refused(error(.groupAuthorizationFailed)),
            leadTo: .failed(error(.groupAuthorizationFailed)), as: nobody),
        Row(
            "the pattern is not a regular expression", [], .refused(error(.invalidRegularExpression)),
            leadTo: .failed(error(.invalidRegularExpression)), as: nobody),
        Row(
            "there is no offset to start from", toAdopting, .refused(error(.offsetOutOfRange)),
            leadTo: .failed(error(.offsetOutOfRange))),
        Row(
            "a failed member ignores all events", toStable, .notified(error(.fencedInstanceId), member1), .outdated,
            .applicationAway,
            leadTo: .failed(error(.fencedInstanceId))),
        Row("closed", toStable, .closed, leadTo: .left),
        Row("a member that has left ignores all events", toStable, .closed, .outdated, .joined(member2), leadTo: .left),
    ]

    @Test(arguments: rows) func row(_ row: Row) {
        var member = ClassicMember()
        for event in row.events { member.handle(event) }
        #expect(member.state == row.state)
        #expect(member.identity == row.identity)
        #expect(member.hasLost == row.hasLost)
        #expect(member.sendsHeartbeats == row.sendsHeartbeats)
    }
}
