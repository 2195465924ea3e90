import KafkaWire

extension DeleteAclsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            filters: random.value(version))
    }
}

extension DeleteAclsRequest.Filter: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            resourceTypeFilter: random.value(version),
            resourceNameFilter: random.value(version),
            patternTypeFilter: random.value(version),
            principalFilter: random.value(version),
            hostFilter: random.value(version),
            operation: random.value(version),
            permissionType: random.value(version))
    }
}

extension DeleteAclsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            filterResults: random.value(version))
    }
}

extension DeleteAclsResponse.FilterResult: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            errorMessage: random.value(version),
            matchingAcls: random.value(version))
    }
}

extension DeleteAclsResponse.MatchingAcl: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            errorMessage: random.value(version),
            resourceType: random.value(version),
            resourceName: random.value(version),
            patternType: random.value(version),
            principal: random.value(version),
            host: random.value(version),
            operation: random.value(version),
            permissionType: random.value(version))
    }
}
