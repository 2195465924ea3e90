import KafkaWire

extension FetchRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            clusterId: version >= 12 ? random.value(version) : nil,
            replicaId: version <= 14 ? random.value(version) : -1,
            replicaState: version >= 15 ? random.value(version) : .init(),
            maxWaitMs: random.value(version),
            minBytes: random.value(version),
            maxBytes: random.value(version),
            isolationLevel: random.value(version),
            sessionId: version >= 7 ? random.value(version) : 0,
            sessionEpoch: version >= 7 ? random.value(version) : -1,
            topics: random.value(version),
            forgottenTopicsData: version >= 7 ? random.value(version) : [],
            rackId: version >= 11 ? random.value(version) : "")
    }
}

extension FetchRequest.ReplicaState: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            replicaId: random.value(version),
            replicaEpoch: random.value(version))
    }
}

extension FetchRequest.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topic: version <= 12 ? random.value(version) : "",
            topicId: version >= 13 ? random.value(version) : .zero,
            partitions: random.value(version))
    }
}

extension FetchRequest.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partition: random.value(version),
            currentLeaderEpoch: version >= 9 ? random.value(version) : -1,
            fetchOffset: random.value(version),
            lastFetchedEpoch: version >= 12 ? random.value(version) : -1,
            logStartOffset: version >= 5 ? random.value(version) : -1,
            partitionMaxBytes: random.value(version),
            replicaDirectoryId: version >= 17 ? random.value(version) : .zero,
            highWatermark: version >= 18 ? random.value(version) : .max)
    }
}

extension FetchRequest.ForgottenTopic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topic: version <= 12 ? random.value(version) : "",
            topicId: version >= 13 ? random.value(version) : .zero,
            partitions: random.value(version))
    }
}

extension FetchResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            errorCode: version >= 7 ? random.value(version) : 0,
            sessionId: version >= 7 ? random.value(version) : 0,
            responses: random.value(version),
            nodeEndpoints: version >= 16 ? random.value(version) : [])
    }
}

extension FetchResponse.FetchableTopicResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topic: version <= 12 ? random.value(version) : "",
            topicId: version >= 13 ? random.value(version) : .zero,
            partitions: random.value(version))
    }
}

extension FetchResponse.PartitionData: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            errorCode: random.value(version),
            highWatermark: random.value(version),
            lastStableOffset: random.value(version),
            logStartOffset: version >= 5 ? random.value(version) : -1,
            divergingEpoch: version >= 12 ? random.value(version) : .init(),
            currentLeader: version >= 12 ? random.value(version) : .init(),
            snapshotId: version >= 12 ? random.value(version) : .init(),
            abortedTransactions: random.value(version),
            preferredReadReplica: version >= 11 ? random.value(version) : -1,
            records: random.value(version))
    }
}

extension FetchResponse.EpochEndOffset: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            epoch: random.value(version),
            endOffset: random.value(version))
    }
}

extension FetchResponse.SnapshotId: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            endOffset: random.value(version),
            epoch: random.value(version))
    }
}

extension FetchResponse.AbortedTransaction: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            producerId: random.value(version),
            firstOffset: random.value(version))
    }
}
