import KafkaWire

extension CreateAclsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            creations: random.value(version))
    }
}

extension CreateAclsRequest.Creation: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            resourceType: random.value(version),
            resourceName: random.value(version),
            resourcePatternType: random.value(version),
            principal: random.value(version),
            host: random.value(version),
            operation: random.value(version),
            permissionType: random.value(version))
    }
}

extension CreateAclsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            results: random.value(version))
    }
}

extension CreateAclsResponse.Result: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            errorMessage: random.value(version))
    }
}
