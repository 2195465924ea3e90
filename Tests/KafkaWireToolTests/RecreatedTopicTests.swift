import KafkaFake
import KafkaWire
import TestSupport
import Testing

@testable import KafkaWireTool

@Suite("kafkawire -G and a topic that is deleted and recreated", .timeLimit(.minutes(2)))
struct RecreatedTopicTests {
    private let partition = TopicPartition(topic: "t", partition: 0)

    private func produce(_ fake: FakeCluster, _ values: ClosedRange<Int>) async throws {
        let result = try await run(
            try Repository.program("kafkawire"), ["-b", fake.bootstrapServers, "-P", "-tt"],
            input: values.map { "\($0)\n" }.joined())
        #expect(result.status == 0, "\(result.err)")
    }

    @Test(
        "commits nothing for the new topic, and the next member prints all of it", arguments: ["classic", "consumer"])
    func recreated(groupProtocol: String) async throws {
        let fake = try FakeCluster()
        fake.createTopic("t")
        try await produce(fake, 1...100)
        // In a KIP-848 group the partition only fails if the group has not assigned the new topic yet.
        fake.configureGroups { $0.consumerHeartbeatInterval = .seconds(30) }
        let arguments = [
            "-b", fake.bootstrapServers, "-G", "g", "-X", "group.protocol=\(groupProtocol)", "-X",
            "auto.offset.reset=earliest", "-X", "auto.commit.interval.ms=600000", "t",
        ]
        let running = try await RunningProgram.start(try Repository.program("kafkawire"), arguments)
        try await eventually("100 records are printed") { try running.output().split(separator: "\n").count == 100 }
        // In the first seconds after joining, a member sends a heartbeat every 200 ms, and the next response would
        // assign the new topic.
        try await eventually("the member has sent its early heartbeats") {
            let last = fake.requests.last { $0.api == .consumerGroupHeartbeat }
            return last.map { .now - $0.time > .seconds(3) } ?? true
        }
        fake.createTopic("t")
        let result = try await running.result(timeout: .seconds(60))
        #expect(result.status != 0)
        #expect(result.err.contains("INCONSISTENT_TOPIC_ID") || result.err.contains("recreated"), "\(result.err)")
        #expect(fake.committedOffset(group: "g", of: partition) == nil)
        try await produce(fake, 1...150)
        let next = try await run(try Repository.program("kafkawire"), arguments + ["-e"])
        let expected = (1...150).map { "\($0)\n" }.joined()
        #expect(next.out == expected, "\(next.err)")
        #expect(fake.committedOffset(group: "g", of: partition) == 150)
        await fake.close()
    }
}
