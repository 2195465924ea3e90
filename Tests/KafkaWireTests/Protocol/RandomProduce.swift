import KafkaWire

extension ProduceRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            transactionalId: random.value(version),
            acks: random.value(version),
            timeoutMs: random.value(version),
            topicData: random.value(version))
    }
}

extension ProduceRequest.TopicData: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: version <= 12 ? random.value(version) : "",
            topicId: version >= 13 ? random.value(version) : .zero,
            partitionData: random.value(version))
    }
}

extension ProduceRequest.PartitionData: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            index: random.value(version),
            records: random.value(version))
    }
}

extension ProduceResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            responses: random.value(version),
            throttleTimeMs: random.value(version),
            nodeEndpoints: version >= 10 ? random.value(version) : [])
    }
}

extension ProduceResponse.TopicResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: version <= 12 ? random.value(version) : "",
            topicId: version >= 13 ? random.value(version) : .zero,
            partitionResponses: random.value(version))
    }
}

extension ProduceResponse.PartitionResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            index: random.value(version),
            errorCode: random.value(version),
            baseOffset: random.value(version),
            logAppendTimeMs: random.value(version),
            logStartOffset: version >= 5 ? random.value(version) : -1,
            recordErrors: version >= 8 ? random.value(version) : [],
            errorMessage: version >= 8 ? random.value(version) : nil,
            currentLeader: version >= 10 ? random.value(version) : .init())
    }
}

extension ProduceResponse.BatchIndexAndErrorMessage: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            batchIndex: random.value(version),
            batchIndexErrorMessage: random.value(version))
    }
}
