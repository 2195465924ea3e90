import KafkaWire

extension OffsetDeleteRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: random.value(version),
            topics: random.value(version))
    }
}

extension OffsetDeleteRequest.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            partitions: random.value(version))
    }
}

extension OffsetDeleteRequest.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version))
    }
}

extension OffsetDeleteResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            throttleTimeMs: random.value(version),
            topics: random.value(version))
    }
}

extension OffsetDeleteResponse.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            partitions: random.value(version))
    }
}

extension OffsetDeleteResponse.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            errorCode: random.value(version))
    }
}
