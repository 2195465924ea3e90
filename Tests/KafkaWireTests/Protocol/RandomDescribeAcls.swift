import KafkaWire

extension DescribeAclsRequest: RandomValue {
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

extension DescribeAclsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            errorCode: random.value(version),
            errorMessage: random.value(version),
            resources: random.value(version))
    }
}

extension DescribeAclsResponse.Resource: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            resourceType: random.value(version),
            resourceName: random.value(version),
            patternType: random.value(version),
            acls: random.value(version))
    }
}

extension DescribeAclsResponse.Acl: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            principal: random.value(version),
            host: random.value(version),
            operation: random.value(version),
            permissionType: random.value(version))
    }
}
