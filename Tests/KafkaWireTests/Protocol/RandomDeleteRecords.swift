import KafkaWire

extension DeleteRecordsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topics: random.value(version),
            timeoutMs: random.value(version))
    }
}

extension DeleteRecordsRequest.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            partitions: random.value(version))
    }
}

extension DeleteRecordsRequest.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            offset: random.value(version))
    }
}

extension DeleteRecordsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            topics: random.value(version))
    }
}

extension DeleteRecordsResponse.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            partitions: random.value(version))
    }
}

extension DeleteRecordsResponse.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            lowWatermark: random.value(version),
            errorCode: random.value(version))
    }
}
