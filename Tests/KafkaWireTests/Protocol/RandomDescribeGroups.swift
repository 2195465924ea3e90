import KafkaWire

extension DescribeGroupsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groups: random.value(version),
            includeAuthorizedOperations: version >= 3 ? random.value(version) : false)
    }
}

extension DescribeGroupsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: version >= 1 ? random.value(version) : 0,
            groups: random.value(version))
    }
}

extension DescribeGroupsResponse.Group: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            errorMessage: version >= 6 ? random.value(version) : nil,
            groupId: random.value(version),
            groupState: random.value(version),
            protocolType: random.value(version),
            protocolData: random.value(version),
            members: random.value(version),
            authorizedOperations: version >= 3 ? random.value(version) : .min)
    }
}

extension DescribeGroupsResponse.Member: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            memberId: random.value(version),
            groupInstanceId: version >= 4 ? random.value(version) : nil,
            clientId: random.value(version),
            clientHost: random.value(version),
            memberMetadata: random.value(version),
            memberAssignment: random.value(version))
    }
}
