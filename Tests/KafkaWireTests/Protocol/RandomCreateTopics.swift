import KafkaWire

extension CreateTopicsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topics: random.value(version),
            timeoutMs: random.value(version),
            validateOnly: random.value(version))
    }
}

extension CreateTopicsRequest.CreatableTopic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            numPartitions: random.value(version),
            replicationFactor: random.value(version),
            assignments: random.value(version),
            configs: random.value(version))
    }
}

extension CreateTopicsRequest.CreatableReplicaAssignment: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            brokerIds: random.value(version))
    }
}

extension CreateTopicsRequest.CreatableTopicConfig: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            value: random.value(version))
    }
}

extension CreateTopicsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            topics: random.value(version))
    }
}

extension CreateTopicsResponse.CreatableTopicResult: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            topicId: version >= 7 ? random.value(version) : .zero,
            errorCode: random.value(version),
            errorMessage: random.value(version),
            topicConfigErrorCode: version >= 5 ? random.value(version) : 0,
            numPartitions: version >= 5 ? random.value(version) : -1,
            replicationFactor: version >= 5 ? random.value(version) : -1,
            configs: version >= 5 ? random.value(version) : [])
    }
}

extension CreateTopicsResponse.CreatableTopicConfigs: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            value: random.value(version),
            readOnly: random.value(version),
            configSource: random.value(version),
            isSensitive: random.value(version))
    }
}
