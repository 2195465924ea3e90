import KafkaWire

extension ListOffsetsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            replicaId: random.value(version),
            isolationLevel: version >= 2 ? random.value(version) : 0,
            topics: random.value(version),
            timeoutMs: version >= 10 ? random.value(version) : 0)
    }
}

extension ListOffsetsRequest.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            partitions: random.value(version))
    }
}

extension ListOffsetsRequest.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            currentLeaderEpoch: version >= 4 ? random.value(version) : -1,
            timestamp: random.value(version))
    }
}

extension ListOffsetsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: version >= 2 ? random.value(version) : 0,
            topics: random.value(version))
    }
}

extension ListOffsetsResponse.TopicResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            partitions: random.value(version))
    }
}

extension ListOffsetsResponse.PartitionResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            errorCode: random.value(version),
            timestamp: random.value(version),
            offset: random.value(version),
            leaderEpoch: version >= 4 ? random.value(version) : -1)
    }
}
