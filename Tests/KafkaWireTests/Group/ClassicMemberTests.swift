import Testing

@testable import KafkaWire

private let member1 = ClassicMember.Identity(memberID: "m", generation: 1)
private let member2 = ClassicMember.Identity(memberID: "m", generation: 2)
private let assigned: Set = [TopicPartition("t", 0)]

private func error(_ code: ErrorCode) -> KafkaError { KafkaError(code, "no", isFromBroker: true) }

@Suite("State transitions of a classic group member")
struct ClassicMemberTests {
    /// Events that lead from the beginning to a state.
    static let toJoining: [ClassicMember.Event] = [.prepared(asLost: false)]
    static let toSyncing = toJoining + [.joined(member1)]
    static let toAdopting = toSyncing + [.synced(assigned)]
    static let toStable = toAdopting + [.adopted(hasGivenUp: false)]

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
        Row("nothing to give up", toJoining, leadTo: .joining, as: nobody),
        Row("is named first", toJoining, .named("m"), leadTo: .joining, as: nameOnly),
        Row("joined", toSyncing, leadTo: .syncing, beats: true),
        Row("synced", toAdopting, leadTo: .adopting(assigned), beats: true),
        Row("adopted", toStable, leadTo: .stable, beats: true),

        Row("gave up for others: once more", toAdopting, .adopted(hasGivenUp: true), leadTo: .preparing, beats: true),
        Row(
            "a rebalance begins", toStable, .notified(error(.rebalanceInProgress), member1), leadTo: .preparing,
            beats: true),
        Row(
            "a rebalance begins while partitions are taken over", toAdopting,
            .notified(error(.rebalanceInProgress), member1), .adopted(hasGivenUp: false), leadTo: .preparing,
            beats: true),
        Row(
            "told of the rebalance twice", toStable, .notified(error(.rebalanceInProgress), member1),
            .notified(error(.rebalanceInProgress), member1), leadTo: .preparing, beats: true),
        Row("other topics", toStable, .outdated, leadTo: .preparing, beats: true),
        Row(
            "other topics while joining", toJoining, .outdated, .joined(member1), .synced(assigned),
            .adopted(hasGivenUp: false), leadTo: .preparing, beats: true),
        Row(
            "the second generation", toStable, .outdated, .prepared(asLost: false), .joined(member2),
            .synced(assigned), .adopted(hasGivenUp: false), leadTo: .stable, as: member2, beats: true),

        Row(
            "a rebalance overtakes the join", toJoining, .refused(error(.rebalanceInProgress)), leadTo: .joining,
            as: nobody),
        Row("a rebalance overtakes the sync", toSyncing, .refused(error(.rebalanceInProgress)), leadTo: .joining),
        Row(
            "not known when joining", toJoining + [.named("m")], .refused(error(.unknownMemberId)), leadTo: .preparing,
            as: nobody, lost: true),
        Row(
            "another generation when syncing", toSyncing, .refused(error(.illegalGeneration)), leadTo: .preparing,
            as: nameOnly, lost: true),
        Row(
            "put out, by a heartbeat", toStable, .notified(error(.unknownMemberId), member1), leadTo: .preparing,
            as: nobody, lost: true),
        Row(
            "left behind, by a commit", toStable, .notified(error(.illegalGeneration), member1), leadTo: .preparing,
            as: nameOnly, lost: true),
        Row(
            "put out while partitions are given up: those are lost too", toStable, .outdated,
            .notified(error(.unknownMemberId), member1), .prepared(asLost: false), leadTo: .preparing, as: nobody,
            lost: true),
        Row(
            "put out while syncing, by a heartbeat", toSyncing, .notified(error(.unknownMemberId), member1),
            .synced(assigned), leadTo: .preparing, as: nobody, lost: true),
        Row(
            "not allowed while syncing, by a heartbeat", toSyncing,
            .notified(error(.groupAuthorizationFailed), member1), .synced(assigned),
            leadTo: .failed(error(.groupAuthorizationFailed))),
        Row(
            "a rebalance that begins while syncing shows in the answer to SyncGroup", toSyncing,
            .notified(error(.rebalanceInProgress), member1), leadTo: .syncing, beats: true),
        Row(
            "what is lost is given up as such", toStable, .notified(error(.unknownMemberId), member1),
            .prepared(asLost: true), leadTo: .joining, as: nobody),
        Row(
            "an answer to an earlier generation counts no more", toStable, .outdated, .prepared(asLost: false),
            .joined(member2), .synced(assigned), .adopted(hasGivenUp: false),
            .notified(error(.illegalGeneration), member1), leadTo: .stable, as: member2, beats: true),
        Row(
            "a heartbeat's answer that comes while joining says nothing", toStable, .outdated, .prepared(asLost: false),
            .notified(error(.rebalanceInProgress), member1), leadTo: .joining),

        Row("the application takes too long", toStable, .applicationAway, leadTo: .preparing, as: nobody, lost: true),
        Row(
            "the application takes too long for a rebalance", toStable, .outdated, .applicationAway, leadTo: .preparing,
            as: nobody, lost: true),
        Row(
            "adopted too late", toAdopting, .applicationAway, .adopted(hasGivenUp: false), leadTo: .preparing,
            as: nobody, lost: true),

        Row(
            "another member has the instance id", toStable, .notified(error(.fencedInstanceId), member1),
            leadTo: .failed(error(.fencedInstanceId))),
        Row(
            "not allowed", toJoining, .refused(error(.groupAuthorizationFailed)),
            leadTo: .failed(error(.groupAuthorizationFailed)), as: nobody),
        Row(
            "no regular expression", [], .refused(error(.invalidRegularExpression)),
            leadTo: .failed(error(.invalidRegularExpression)), as: nobody),
        Row(
            "no offset to begin with", toAdopting, .refused(error(.offsetOutOfRange)),
            leadTo: .failed(error(.offsetOutOfRange))),
        Row(
            "failed is failed", toStable, .notified(error(.fencedInstanceId), member1), .outdated, .applicationAway,
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
