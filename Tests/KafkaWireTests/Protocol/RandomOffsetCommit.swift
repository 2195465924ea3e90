import KafkaWire

extension OffsetCommitRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: random.value(version),
            generationIdOrMemberEpoch: random.value(version),
            memberId: random.value(version),
            groupInstanceId: version >= 7 ? random.value(version) : nil,
            retentionTimeMs: version <= 4 ? random.value(version) : -1,
            topics: random.value(version))
    }
}

extension OffsetCommitRequest.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: version <= 9 ? random.value(version) : "",
            topicId: version >= 10 ? random.value(version) : .zero,
            partitions: random.value(version))
    }
}

extension OffsetCommitRequest.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            committedOffset: random.value(version),
            committedLeaderEpoch: version >= 6 ? random.value(version) : -1,
            committedMetadata: random.value(version))
    }
}

extension OffsetCommitResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: version >= 3 ? random.value(version) : 0,
            topics: random.value(version))
    }
}

extension OffsetCommitResponse.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: version <= 9 ? random.value(version) : "",
            topicId: version >= 10 ? random.value(version) : .zero,
            partitions: random.value(version))
    }
}

extension OffsetCommitResponse.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            errorCode: random.value(version))
    }
}
