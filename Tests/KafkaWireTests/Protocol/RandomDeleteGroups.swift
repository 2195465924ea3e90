import KafkaWire

extension DeleteGroupsRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupsNames: random.value(version))
    }
}

extension DeleteGroupsResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            results: random.value(version))
    }
}

extension DeleteGroupsResponse.Result: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupId: random.value(version),
            errorCode: random.value(version))
    }
}
