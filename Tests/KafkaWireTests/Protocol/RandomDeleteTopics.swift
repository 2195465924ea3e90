import KafkaWire

extension DeleteTopicsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topics: version >= 6 ? random.value(version) : [],
            topicNames: version <= 5 ? random.value(version) : [],
            timeoutMs: random.value(version))
    }
}

extension DeleteTopicsRequest.DeleteTopicState: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            topicId: random.value(version))
    }
}

extension DeleteTopicsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            responses: random.value(version))
    }
}

extension DeleteTopicsResponse.DeletableTopicResult: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version, orNil: version >= 6),
            topicId: version >= 6 ? random.value(version) : .zero,
            errorCode: random.value(version),
            errorMessage: version >= 5 ? random.value(version) : nil)
    }
}
