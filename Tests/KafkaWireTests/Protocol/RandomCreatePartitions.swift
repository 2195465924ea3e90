import KafkaWire

extension CreatePartitionsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topics: random.value(version),
            timeoutMs: random.value(version),
            validateOnly: random.value(version))
    }
}

extension CreatePartitionsRequest.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            count: random.value(version),
            assignments: random.value(version))
    }
}

extension CreatePartitionsRequest.Assignment: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            brokerIds: random.value(version))
    }
}

extension CreatePartitionsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            results: random.value(version))
    }
}

extension CreatePartitionsResponse.Result: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            errorCode: random.value(version),
            errorMessage: random.value(version))
    }
}
