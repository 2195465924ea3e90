import KafkaWire

extension IncrementalAlterConfigsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            resources: random.value(version),
            validateOnly: random.value(version))
    }
}

extension IncrementalAlterConfigsRequest.Resource: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            resourceType: random.value(version),
            resourceName: random.value(version),
            configs: random.value(version))
    }
}

extension IncrementalAlterConfigsRequest.Config: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            configOperation: random.value(version),
            value: random.value(version))
    }
}

extension IncrementalAlterConfigsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            responses: random.value(version))
    }
}

extension IncrementalAlterConfigsResponse.Result: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            errorMessage: random.value(version),
            resourceType: random.value(version),
            resourceName: random.value(version))
    }
}
