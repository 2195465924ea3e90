import KafkaWire
import Testing

@Suite("Settings of a group's member")
struct GroupConfigurationTests {
    private func configuration(_ properties: [String: String]) throws -> GroupConfiguration {
        try ClientConfiguration(bootstrapServers: "127.0.0.1:9092", properties: properties).group
    }

    @Test("Kafka's defaults")
    func defaults() throws {
        let group = try configuration([:])
        #expect(group.groupID == nil)
        #expect(group.groupInstanceID == nil)
        #expect(group.groupProtocol == .classic)
        #expect(group.assignors == [.range, .cooperativeSticky])
        #expect(group.sessionTimeout == .seconds(45))
        #expect(group.heartbeatInterval == .seconds(3))
        #expect(group.maximumPollInterval == .seconds(300))
        #expect(group.commitsAutomatically)
        #expect(group.autoCommitInterval == .seconds(5))
    }

    @Test("each setting is parsed by its name")
    func names() throws {
        let group = try configuration([
            "group.id": "g", "group.instance.id": "i", "group.protocol": "consumer", "group.remote.assignor": "range",
            "session.timeout.ms": "6000", "heartbeat.interval.ms": "500", "max.poll.interval.ms": "7000",
            "enable.auto.commit": "false", "auto.commit.interval.ms": "1000",
            "partition.assignment.strategy":
                "org.apache.kafka.clients.consumer.CooperativeStickyAssignor, roundrobin ,sticky",
        ])
        #expect(group.groupID == "g")
        #expect(group.groupInstanceID == "i")
        #expect(group.groupProtocol == .consumer)
        #expect(group.remoteAssignor == "range")
        #expect(group.sessionTimeout == .seconds(6))
        #expect(group.heartbeatInterval == .milliseconds(500))
        #expect(group.maximumPollInterval == .seconds(7))
        #expect(!group.commitsAutomatically)
        #expect(group.autoCommitInterval == .seconds(1))
        #expect(group.assignors == [.cooperativeSticky, .roundRobin, .sticky])
    }

    @Test(
        "invalid values are errors that say what is expected",
        arguments: [
            ("partition.assignment.strategy", "rnge", "cooperative-sticky"),
            ("partition.assignment.strategy", ",", "no assignor"),
            ("group.protocol", "streams", "classic, consumer"),
            ("heartbeat.interval.ms", "45000", "session.timeout.ms"),
        ])
    func wrong(name: String, value: String, hint: String) throws {
        let error = #expect(throws: KafkaError.self) { try configuration([name: value]) }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.contains(hint) == true)
    }
}
