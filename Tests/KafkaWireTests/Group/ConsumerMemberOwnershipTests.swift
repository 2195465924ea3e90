import Testing

import enum TestSupport.LongTests

@testable import KafkaFake
@testable import KafkaWire

/// Members of a KIP-848 group and their coordinator as state machines. A seed determines the order of steps and lost
/// messages.
private struct GroupSimulation {
    /// A member with the steps that `ConsumerProtocolGroup` takes.
    struct Member {
        var machine: ConsumerMember
        /// The partitions that it fetches.
        var fetched: Set<TopicIDPartition> = []
        /// A heartbeat in flight to the coordinator.
        var sent: (request: ConsumerGroupHeartbeatRequest, report: ConsumerMember.Report)?
        /// The response in flight to the member.
        var answer: (answer: ConsumerGroup.Answer, report: ConsumerMember.Report)?
        /// The target of the reconciliation in progress, and whether its revocations are complete.
        var reconciliation: (target: Set<TopicIDPartition>, hasRevoked: Bool)?
        var isLeaving = false
    }

    private static let topic = KafkaUUID(high: 1, low: 1)
    private let topics = ["t": ConsumerGroup.Topic(id: topic, partitionCount: 6)]
    private let now = ContinuousClock.now
    private var random: RandomValues
    private var group = ConsumerGroup()
    private var created = 0
    private(set) var members: [Member] = []
    private(set) var takenOver = 0

    init(seed: UInt64) {
        random = RandomValues(seed: seed)
        for _ in 0..<2 { join() }
    }

    private mutating func join() {
        created += 1
        members.append(Member(machine: ConsumerMember(memberID: "m\(created)")))
    }

    /// A partition that two members fetch at the same time.
    var sharedPartition: TopicIDPartition? {
        var seen: Set<TopicIDPartition> = []
        for partition in members.flatMap(\.fetched) where !seen.insert(partition).inserted { return partition }
        return nil
    }

    mutating func step() {
        if members.count < 4, Int.random(in: 0..<60, using: &random) == 0 { join() }
        let index = Int.random(in: 0..<members.count, using: &random)
        if members.count > 1, Int.random(in: 0..<80, using: &random) == 0 { members[index].isLeaving = true }
        if members[index].isLeaving { return leave(index) }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: reconcile(index)
        case 1: send(index)
        case 2: deliver(index)
        default: hear(index)
        }
    }

    private mutating func leave(_ index: Int) {
        let member = members.remove(at: index)
        _ = answer(
            ConsumerGroupHeartbeatRequest(groupId: "g", memberId: member.machine.memberID, memberEpoch: -1))
    }

    private mutating func answer(_ request: ConsumerGroupHeartbeatRequest) -> ConsumerGroup.Answer {
        group.heartbeat(request, clientID: "c", topics: topics, settings: GroupSettings(), at: now)
    }

    private mutating func send(_ index: Int) {
        let machine = members[index].machine
        guard members[index].sent == nil, members[index].answer == nil, machine.sendsHeartbeats else { return }
        var request = ConsumerGroupHeartbeatRequest(
            groupId: "g", memberId: machine.memberID, memberEpoch: machine.epoch)
        if machine.sendsPartitions {
            request.topicPartitions = [
                ConsumerGroupHeartbeatTopicPartitions(
                    topicId: Self.topic, partitions: machine.report.owned.map(\.partition).sorted())
            ]
            if machine.report.owned.isEmpty { request.topicPartitions = [] }
        }
        if machine.sendsAllFields {
            request.rebalanceTimeoutMs = 30_000
            request.subscribedTopicNames = ["t"]
        }
        members[index].sent = (request, machine.report)
    }

    /// The coordinator processes the heartbeat; every other response is lost.
    private mutating func deliver(_ index: Int) {
        guard let (request, report) = members[index].sent else { return }
        members[index].sent = nil
        let answer = answer(request)
        if Bool.random(using: &random) {
            members[index].machine.handle(.unanswered)
        } else {
            members[index].answer = (answer, report)
        }
    }

    private mutating func hear(_ index: Int) {
        guard let (answer, report) = members[index].answer else { return }
        members[index].answer = nil
        guard answer.error == .none else {
            let error = KafkaError(answer.error, "no", isFromBroker: true)
            return members[index].machine.handle(.refused(error, epoch: report.epoch))
        }
        let assignment = answer.assignment.map { slots in
            ConsumerGroupHeartbeatResponse.Assignment(
                topicPartitions: [.init(topicId: Self.topic, partitions: slots.map(\.partition).sorted())])
        }
        members[index].machine.handle(
            .accepted(
                ConsumerGroupHeartbeatResponse(
                    memberId: answer.memberID, memberEpoch: answer.epoch, assignment: assignment), to: report))
    }

    private mutating func reconcile(_ index: Int) {
        var member = members[index]
        defer { members[index] = member }
        switch (member.machine.state, member.reconciliation) {
        case (.fenced, _):
            member.fetched = []
            member.reconciliation = nil
            member.machine.handle(.dropped)
        case (.reconciling, nil):
            member.machine.handle(.reconciling)
            member.reconciliation = (member.machine.target, false)
        case (.reconciling, (let target, false)?):
            member.fetched.formIntersection(target)
            member.reconciliation = (target, true)
        case (.reconciling, (let target, true)?):
            let added = target.subtracting(member.fetched).intersection(member.machine.target)
            takenOver += added.count
            member.fetched.formUnion(added)
            member.reconciliation = nil
            member.machine.handle(.reconciled(member.fetched))
        default:
            member.reconciliation = nil
        }
    }
}

@Suite("A KIP-848 group with lost responses, as state machines")
struct ConsumerMemberOwnershipTests {
    @Test(
        "no two members fetch a partition at the same time, whichever responses are lost",
        arguments: UInt64(1)...UInt64(LongTests.count(20, quick: 6)))
    func ownership(seed: UInt64) {
        var simulation = GroupSimulation(seed: seed)
        for step in 0..<5000 {
            simulation.step()
            guard let partition = simulation.sharedPartition else { continue }
            Issue.record("partition \(partition.partition) has two readers after \(step) steps")
            return
        }
        #expect(simulation.takenOver > 50)
    }

    @Test("a heartbeat lists partitions that are being taken over, even if the target has changed meanwhile")
    func claims() {
        let topic = KafkaUUID(high: 1, low: 2)
        func response(_ partitions: [Int32]) -> ConsumerGroupHeartbeatResponse {
            ConsumerGroupHeartbeatResponse(
                memberEpoch: 1,
                assignment: .init(topicPartitions: [.init(topicId: topic, partitions: partitions)]))
        }
        let (zero, one) = (
            TopicIDPartition(topicID: topic, partition: 0), TopicIDPartition(topicID: topic, partition: 1)
        )
        var member = ConsumerMember(memberID: "m")
        member.handle(.accepted(response([0]), to: member.report))
        member.handle(.unanswered)
        #expect(member.report.owned == [zero])
        member.handle(.reconciling)
        member.handle(.accepted(response([1]), to: member.report))
        #expect(member.report.owned == [zero, one])
        member.handle(.reconciled([]))
        #expect(member.report.owned == [one])
        #expect(member.sendsPartitions)
    }
}
