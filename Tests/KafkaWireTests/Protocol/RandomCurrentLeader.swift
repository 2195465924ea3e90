import KafkaWire

extension LeaderIdAndEpoch: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(leaderId: random.value(version), leaderEpoch: random.value(version))
    }
}

extension NodeEndpoint: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            nodeId: random.value(version), host: random.value(version), port: random.value(version),
            rack: random.value(version))
    }
}
