import KafkaWire

extension FindCoordinatorRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            key: version <= 3 ? random.value(version) : "",
            keyType: version >= 1 ? random.value(version) : 0,
            coordinatorKeys: version >= 4 ? random.value(version) : [])
    }
}

extension FindCoordinatorResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: version >= 1 ? random.value(version) : 0,
            errorCode: version <= 3 ? random.value(version) : 0,
            errorMessage: version >= 1 && version <= 3 ? random.value(version) : "",
            nodeId: version <= 3 ? random.value(version) : 0,
            host: version <= 3 ? random.value(version) : "",
            port: version <= 3 ? random.value(version) : 0,
            coordinators: version >= 4 ? random.value(version) : [])
    }
}

extension FindCoordinatorResponse.Coordinator: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            key: random.value(version),
            nodeId: random.value(version),
            host: random.value(version),
            port: random.value(version),
            errorCode: random.value(version),
            errorMessage: random.value(version))
    }
}
