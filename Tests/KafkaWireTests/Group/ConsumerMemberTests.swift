import Testing

@testable import KafkaWire

private let topic = KafkaUUID(high: 1, low: 2)
private let first: Set = [TopicIDPartition(topicID: topic, partition: 0)]

private func error(_ code: ErrorCode) -> KafkaError { KafkaError(code, "no", isFromBroker: true) }

@Suite("State transitions of a KIP-848 group member")
struct ConsumerMemberTests {
    /// What happens, with the answers to whatever the member would tell at that moment.
    enum Step: Sendable {
        case accepted(epoch: Int32, [Int32]?)
        case event(ConsumerMember.Event)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let steps: [Step]
        let state: ConsumerMember.State
        let epoch: Int32
        var tellsEverything = false
        var tellsPartitions = false

        init(
            _ name: String, _ steps: Step..., leadTo state: ConsumerMember.State, epoch: Int32,
            everything: Bool = false, partitions: Bool = false
        ) {
            testDescription = name
            self.steps = steps
            (self.state, self.epoch, tellsEverything, tellsPartitions) = (state, epoch, everything, partitions)
        }
    }

    static let rows = [
        Row("begins", leadTo: .joining, epoch: 0, everything: true, partitions: true),
        Row("joined, nothing to read yet", .accepted(epoch: 1, nil), leadTo: .stable, epoch: 1),
        Row("is given a partition", .accepted(epoch: 1, [0]), leadTo: .reconciling, epoch: 1),
        Row(
            "has taken it over, and says so", .accepted(epoch: 1, [0]), .event(.reconciled(first)), leadTo: .stable,
            epoch: 1, partitions: true),
        Row(
            "has said so", .accepted(epoch: 1, [0]), .event(.reconciled(first)), .accepted(epoch: 2, [0]),
            leadTo: .stable, epoch: 2),
        Row(
            "has to give it up", .accepted(epoch: 1, [0]), .event(.reconciled(first)), .accepted(epoch: 1, []),
            leadTo: .reconciling, epoch: 1),
        Row(
            "has given it up, and says so", .accepted(epoch: 1, [0]), .event(.reconciled(first)),
            .accepted(epoch: 1, []), .event(.reconciled([])), leadTo: .stable, epoch: 1, partitions: true),
        Row(
            "could take nothing over yet", .accepted(epoch: 1, [0]), .event(.reconciled([])), leadTo: .stable, epoch: 1),
        Row(
            "tries again with the next answer", .accepted(epoch: 1, [0]), .event(.reconciled([])),
            .accepted(epoch: 1, nil), leadTo: .reconciling, epoch: 1),
        Row(
            "after an unanswered heartbeat all fields are sent again", .accepted(epoch: 1, nil), .event(.unheard),
            leadTo: .stable, epoch: 1, everything: true, partitions: true),
        Row(
            "another subscription", .accepted(epoch: 1, nil), .event(.subscribed), leadTo: .stable, epoch: 1,
            everything: true, partitions: true),
        Row(
            "fenced", .accepted(epoch: 3, [0]), .event(.reconciled(first)),
            .event(.refused(error(.fencedMemberEpoch), epoch: 3)), leadTo: .fenced, epoch: 0, everything: true,
            partitions: true),
        Row(
            "an earlier epoch was refused", .accepted(epoch: 3, nil),
            .event(.refused(error(.fencedMemberEpoch), epoch: 2)), leadTo: .stable, epoch: 3),
        Row(
            "joins again when everything is given up", .accepted(epoch: 3, [0]), .event(.reconciled(first)),
            .event(.refused(error(.unknownMemberId), epoch: 3)), .event(.dropped), leadTo: .joining, epoch: 0,
            everything: true, partitions: true),
        Row(
            "reconciled too late", .accepted(epoch: 1, [0]), .event(.applicationAway), .event(.reconciled(first)),
            leadTo: .fenced, epoch: 0, everything: true, partitions: true),
        Row(
            "refused for good", .event(.refused(error(.unsupportedAssignor), epoch: 0)),
            leadTo: .failed(error(.unsupportedAssignor)), epoch: 0, everything: true, partitions: true),
        Row(
            "closing: the epoch is still followed", .accepted(epoch: 1, nil), .event(.closing),
            .accepted(epoch: 2, [0]), leadTo: .leaving, epoch: 2),
        Row(
            "fenced while closing", .accepted(epoch: 1, nil), .event(.closing),
            .event(.refused(error(.fencedMemberEpoch), epoch: 1)), leadTo: .left, epoch: 0, everything: true,
            partitions: true),
        Row(
            "an earlier epoch was refused while closing", .accepted(epoch: 2, nil), .event(.closing),
            .event(.refused(error(.fencedMemberEpoch), epoch: 1)), leadTo: .leaving, epoch: 2),
        Row(
            "closing before it has joined", .event(.closing), leadTo: .left, epoch: 0, everything: true,
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
        #expect(member.tellsEverything == row.tellsEverything)
        #expect(member.tellsPartitions == row.tellsPartitions)
    }

    @Test("an answer acknowledges the heartbeat's contents, not later changes")
    func report() {
        var member = ConsumerMember(memberID: "m")
        let early = member.report
        member.handle(.subscribed)
        member.handle(.accepted(ConsumerGroupHeartbeatResponse(memberEpoch: 1), to: early))
        #expect(member.tellsEverything)
    }

    @Test("a member id from the coordinator replaces the client's own")
    func named() {
        var member = ConsumerMember(memberID: "mine")
        member.handle(
            .accepted(ConsumerGroupHeartbeatResponse(memberId: "theirs", memberEpoch: 1), to: member.report))
        #expect(member.memberID == "theirs")
    }
}
