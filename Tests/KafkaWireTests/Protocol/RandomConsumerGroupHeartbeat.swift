import KafkaWire

extension ConsumerGroupHeartbeatRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: random.value(version),
            memberId: random.value(version),
            memberEpoch: random.value(version),
            instanceId: random.value(version),
            rackId: random.value(version),
            rebalanceTimeoutMs: random.value(version),
            subscribedTopicNames: random.value(version),
            subscribedTopicRegex: version >= 1 ? random.value(version) : nil,
            serverAssignor: random.value(version),
            topicPartitions: random.value(version))
    }
}

extension ConsumerGroupHeartbeatTopicPartitions: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(topicId: random.value(version), partitions: random.value(version))
    }
}

extension ConsumerGroupHeartbeatResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            errorCode: random.value(version),
            errorMessage: random.value(version),
            memberId: random.value(version),
            memberEpoch: random.value(version),
            heartbeatIntervalMs: random.value(version),
            assignment: random.value(version))
    }
}

extension ConsumerGroupHeartbeatResponse.Assignment: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(topicPartitions: random.value(version))
    }
}
