import KafkaWire

extension ListGroupsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            statesFilter: version >= 4 ? random.value(version) : [],
            typesFilter: version >= 5 ? random.value(version) : [])
    }
}

extension ListGroupsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: version >= 1 ? random.value(version) : 0,
            errorCode: random.value(version),
            groups: random.value(version))
    }
}

extension ListGroupsResponse.Group: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: random.value(version),
            protocolType: random.value(version),
            groupState: version >= 4 ? random.value(version) : "",
            groupType: version >= 5 ? random.value(version) : "")
    }
}
