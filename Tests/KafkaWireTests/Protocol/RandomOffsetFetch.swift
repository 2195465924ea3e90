import KafkaWire

extension OffsetFetchRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: version <= 7 ? random.value(version) : "",
            topics: version <= 7 ? random.value(version, orNil: version >= 2) : [],
            groups: version >= 8 ? random.value(version) : [],
            requireStable: version >= 7 ? random.value(version) : false)
    }
}

extension OffsetFetchRequest.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            partitionIndexes: random.value(version))
    }
}

extension OffsetFetchRequest.Group: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: random.value(version),
            memberId: version >= 9 ? random.value(version) : nil,
            memberEpoch: version >= 9 ? random.value(version) : -1,
            topics: random.value(version))
    }
}

extension OffsetFetchRequest.GroupTopic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: version <= 9 ? random.value(version) : "",
            topicId: version >= 10 ? random.value(version) : .zero,
            partitionIndexes: random.value(version))
    }
}

extension OffsetFetchResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: version >= 3 ? random.value(version) : 0,
            topics: version <= 7 ? random.value(version) : [],
            errorCode: version >= 2 && version <= 7 ? random.value(version) : 0,
            groups: version >= 8 ? random.value(version) : [])
    }
}

extension OffsetFetchResponse.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            partitions: random.value(version))
    }
}

extension OffsetFetchResponse.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            committedOffset: random.value(version),
            committedLeaderEpoch: version >= 5 ? random.value(version) : -1,
            metadata: random.value(version),
            errorCode: random.value(version))
    }
}

extension OffsetFetchResponse.Group: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: random.value(version),
            topics: random.value(version),
            errorCode: random.value(version))
    }
}

extension OffsetFetchResponse.GroupTopic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: version <= 9 ? random.value(version) : "",
            topicId: version >= 10 ? random.value(version) : .zero,
            partitions: random.value(version))
    }
}

extension OffsetFetchResponse.GroupPartition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            committedOffset: random.value(version),
            committedLeaderEpoch: random.value(version),
            metadata: random.value(version),
            errorCode: random.value(version))
    }
}
