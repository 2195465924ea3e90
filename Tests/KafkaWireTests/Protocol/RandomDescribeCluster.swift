import KafkaWire

extension DescribeClusterRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            includeClusterAuthorizedOperations: random.value(version),
            endpointType: version >= 1 ? random.value(version) : 1,
            includeFencedBrokers: version >= 2 ? random.value(version) : false)
    }
}

extension DescribeClusterResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            errorCode: random.value(version),
            errorMessage: random.value(version),
            endpointType: version >= 1 ? random.value(version) : 1,
            clusterId: random.value(version),
            controllerId: random.value(version),
            brokers: random.value(version),
            clusterAuthorizedOperations: random.value(version))
    }
}

extension DescribeClusterResponse.Broker: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            brokerId: random.value(version),
            host: random.value(version),
            port: random.value(version),
            rack: random.value(version),
            isFenced: version >= 2 ? random.value(version) : false)
    }
}
