import KafkaWire

extension OffsetForLeaderEpochRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            replicaId: version >= 3 ? random.value(version) : -2,
            topics: random.value(version))
    }
}

extension OffsetForLeaderEpochRequest.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topic: random.value(version),
            partitions: random.value(version))
    }
}

extension OffsetForLeaderEpochRequest.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partition: random.value(version),
            currentLeaderEpoch: random.value(version),
            leaderEpoch: random.value(version))
    }
}

extension OffsetForLeaderEpochResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            topics: random.value(version))
    }
}

extension OffsetForLeaderEpochResponse.TopicResult: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topic: random.value(version),
            partitions: random.value(version))
    }
}

extension OffsetForLeaderEpochResponse.EpochEndOffset: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            partition: random.value(version),
            leaderEpoch: random.value(version),
            endOffset: random.value(version))
    }
}
