import KafkaWire

extension MetadataRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topics: random.value(version, orNil: version >= 1),
            allowAutoTopicCreation: version >= 4 ? random.value(version) : true,
            includeClusterAuthorizedOperations: version >= 8 && version <= 10 ? random.value(version) : false,
            includeTopicAuthorizedOperations: version >= 8 ? random.value(version) : false)
    }
}

extension MetadataRequest.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topicId: version >= 10 ? random.value(version) : .zero,
            name: random.value(version, orNil: version >= 10))
    }
}

extension MetadataResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: version >= 3 ? random.value(version) : 0,
            brokers: random.value(version),
            clusterId: version >= 2 ? random.value(version) : nil,
            controllerId: version >= 1 ? random.value(version) : -1,
            topics: random.value(version),
            clusterAuthorizedOperations: version >= 8 && version <= 10 ? random.value(version) : .min,
            errorCode: version >= 13 ? random.value(version) : 0)
    }
}

extension MetadataResponse.Broker: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            nodeId: random.value(version),
            host: random.value(version),
            port: random.value(version),
            rack: version >= 1 ? random.value(version) : nil)
    }
}

extension MetadataResponse.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            name: random.value(version, orNil: version >= 12),
            topicId: version >= 10 ? random.value(version) : .zero,
            isInternal: version >= 1 ? random.value(version) : false,
            partitions: random.value(version),
            topicAuthorizedOperations: version >= 8 ? random.value(version) : .min)
    }
}

extension MetadataResponse.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            partitionIndex: random.value(version),
            leaderId: random.value(version),
            leaderEpoch: version >= 7 ? random.value(version) : -1,
            replicaNodes: random.value(version),
            isrNodes: random.value(version),
            offlineReplicas: version >= 5 ? random.value(version) : [])
    }
}
