import Testing

@testable import KafkaWire

private let topic = KafkaUUID(high: 1, low: 2)
private let first: Set = [TopicIDPartition(topicID: topic, partition: 0)]

private func error(_ code: ErrorCode) -> KafkaError { KafkaError(code, "no", isFromBroker: true) }

@Suite("State transitions of a KIP-848 group member")
struct ConsumerMemberTests {
    /// An event, or a response to the heartbeat that the member would send at that moment.
    enum Step: Sendable {
        case accepted(epoch: Int32, [Int32]?)
        case event(ConsumerMember.Event)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let steps: [Step]
        let state: ConsumerMember.State
        let epoch: Int32
        var sendsAllFields = false
        var sendsPartitions = false

        init(
            _ name: String, _ steps: Step..., leadTo state: ConsumerMember.State, epoch: Int32,
            everything: Bool = false, partitions: Bool = false
        ) {
            testDescription = name
            self.steps = steps
            (self.state, self.epoch, sendsAllFields, sendsPartitions) = (state, epoch, everything, partitions)
        }
    }

    static let rows = [
        Row("begins", leadTo: .joining, epoch: 0, everything: true, partitions: true),
        Row("joined, without partitions", .accepted(epoch: 1, nil), leadTo: .stable, epoch: 1),
        Row("a partition is assigned", .accepted(epoch: 1, [0]), leadTo: .reconciling, epoch: 1),
        Row(
            "took the partition over; the next heartbeat lists it", .accepted(epoch: 1, [0]),
            .event(.reconciled(first)), leadTo: .stable,
            epoch: 1, partitions: true),
        Row(
            "the heartbeat with the partition was answered", .accepted(epoch: 1, [0]), .event(.reconciled(first)),
            .accepted(epoch: 2, [0]),
            leadTo: .stable, epoch: 2),
        Row(
            "the partition is removed from the target", .accepted(epoch: 1, [0]), .event(.reconciled(first)),
            .accepted(epoch: 1, []),
            leadTo: .reconciling, epoch: 1),
        Row(
            "revoked the partition; the next heartbeat omits it", .accepted(epoch: 1, [0]), .event(.reconciled(first)),
            .accepted(epoch: 1, []), .event(.reconciled([])), leadTo: .stable, epoch: 1, partitions: true),
        Row(
            "could not take over the partition yet", .accepted(epoch: 1, [0]), .event(.reconciled([])), leadTo: .stable,
            epoch: 1),
        Row(
            "retries after the next response", .accepted(epoch: 1, [0]), .event(.reconciled([])),
            .accepted(epoch: 1, nil), leadTo: .reconciling, epoch: 1),
        Row(
            "after an unanswered heartbeat all fields are sent again", .accepted(epoch: 1, nil), .event(.unanswered),
            leadTo: .stable, epoch: 1, everything: true, partitions: true),
        Row(
            "another subscription", .accepted(epoch: 1, nil), .event(.subscribed), leadTo: .stable, epoch: 1,
            everything: true, partitions: true),
        Row(
            "fenced", .accepted(epoch: 3, [0]), .event(.reconciled(first)),
            .event(.refused(error(.fencedMemberEpoch), epoch: 3)), leadTo: .fenced, epoch: 0, everything: true,
            partitions: true),
        Row(
            "a refusal of an earlier epoch is ignored", .accepted(epoch: 3, nil),
            .event(.refused(error(.fencedMemberEpoch), epoch: 2)), leadTo: .stable, epoch: 3),
        Row(
            "rejoins after all partitions were revoked", .accepted(epoch: 3, [0]), .event(.reconciled(first)),
            .event(.refused(error(.unknownMemberId), epoch: 3)), .event(.dropped), leadTo: .joining, epoch: 0,
            everything: true, partitions: true),
        Row(
            "the application exceeds max.poll.interval.ms while reconciling", .accepted(epoch: 1, [0]),
            .event(.applicationAway), .event(.reconciled(first)),
            leadTo: .fenced, epoch: 0, everything: true, partitions: true),
        Row(
            "refused permanently", .event(.refused(error(.unsupportedAssignor), epoch: 0)),
            leadTo: .failed(error(.unsupportedAssignor)), epoch: 0, everything: true, partitions: true),
        Row(
            "a closing member still updates its epoch", .accepted(epoch: 1, nil), .event(.closing),
            .accepted(epoch: 2, [0]), leadTo: .leaving, epoch: 2),
        Row(
            "fenced while closing", .accepted(epoch: 1, nil), .event(.closing),
            .event(.refused(error(.fencedMemberEpoch), epoch: 1)), leadTo: .left, epoch: 0, everything: true,
            partitions: true),
        Row(
            "a refusal of an earlier epoch is ignored while closing", .accepted(epoch: 2, nil), .event(.closing),
            .event(.refused(error(.fencedMemberEpoch), epoch: 1)), leadTo: .leaving, epoch: 2),
        Row(
            "closed before it has joined", .event(.closing), leadTo: .left, epoch: 0, everything: true,
            partitions: true),
        Row("closed", .accepted(epoch: 1, nil), .event(.closed), .accepted(epoch: 2, [0]), leadTo: .left, epoch: 1),
    ]

    @Test(arguments: rows) func row(_ row: Row) {
        var member = ConsumerMember(memberID: "m")
        for step in row.steps {
            switch step {
            case .event(let event): member.handle(event)
            case .accepted(let epoch, let partitions):
                let assignment = partitions.map { partitions in
                    ConsumerGroupHeartbeatResponse.Assignment(
                        topicPartitions: partitions.isEmpty
                            ? [] : [ConsumerGroupHeartbeatTopicPartitions(topicId: topic, partitions: partitions)])
                }
                member.handle(
                    .accepted(
                        ConsumerGroupHeartbeatResponse(memberId: "m", memberEpoch: epoch, assignment: assignment),
                        to: member.report))
            }
        }
        #expect(member.state == row.state)
        #expect(member.epoch == row.epoch)
        #expect(member.sendsAllFields == row.sendsAllFields)
        #expect(member.sendsPartitions == row.sendsPartitions)
    }

    @Test("a response acknowledges the heartbeat's contents, not later changes")
    func report() {
        var member = ConsumerMember(memberID: "m")
        let early = member.report
        member.handle(.subscribed)
        member.handle(.accepted(ConsumerGroupHeartbeatResponse(memberEpoch: 1), to: early))
        #expect(member.sendsAllFields)
    }

    @Test("a member id from the coordinator replaces the client's own")
    func named() {
        var member = ConsumerMember(memberID: "mine")
        member.handle(
            .accepted(ConsumerGroupHeartbeatResponse(memberId: "theirs", memberEpoch: 1), to: member.report))
        #expect(member.memberID == "theirs")
    }
}
