import KafkaWire

extension AddPartitionsToTxnRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            transactions: version >= 4 ? random.value(version) : [],
            v3AndBelowTransactionalId: version <= 3 ? random.value(version) : "",
            v3AndBelowProducerId: version <= 3 ? random.value(version) : 0,
            v3AndBelowProducerEpoch: version <= 3 ? random.value(version) : 0,
            v3AndBelowTopics: version <= 3 ? random.value(version) : [])
    }
}

extension AddPartitionsToTxnRequest.Transaction: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            transactionalId: random.value(version),
            producerId: random.value(version),
            producerEpoch: random.value(version),
            verifyOnly: random.value(version),
            topics: random.value(version))
    }
}

extension AddPartitionsToTxnRequest.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            partitions: random.value(version))
    }
}

extension AddPartitionsToTxnResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            errorCode: version >= 4 ? random.value(version) : 0,
            resultsByTransaction: version >= 4 ? random.value(version) : [],
            resultsByTopicV3AndBelow: version <= 3 ? random.value(version) : [])
    }
}

extension AddPartitionsToTxnResponse.TransactionResult: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            transactionalId: random.value(version),
            topicResults: random.value(version))
    }
}

extension AddPartitionsToTxnResponse.TopicResult: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            resultsByPartition: random.value(version))
    }
}

extension AddPartitionsToTxnResponse.PartitionResult: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            partitionErrorCode: random.value(version))
    }
}

extension AddOffsetsToTxnRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            transactionalId: random.value(version),
            producerId: random.value(version),
            producerEpoch: random.value(version),
            groupId: random.value(version))
    }
}

extension AddOffsetsToTxnResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            errorCode: random.value(version))
    }
}

extension EndTxnRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            transactionalId: random.value(version),
            producerId: random.value(version),
            producerEpoch: random.value(version),
            committed: random.value(version))
    }
}

extension EndTxnResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            errorCode: random.value(version),
            producerId: version >= 5 ? random.value(version) : -1,
            producerEpoch: version >= 5 ? random.value(version) : -1)
    }
}

extension TxnOffsetCommitRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            transactionalId: random.value(version),
            groupId: random.value(version),
            producerId: random.value(version),
            producerEpoch: random.value(version),
            generationId: version >= 3 ? random.value(version) : -1,
            memberId: version >= 3 ? random.value(version) : "",
            groupInstanceId: version >= 3 ? random.value(version) : nil,
            topics: random.value(version))
    }
}

extension TxnOffsetCommitRequest.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            partitions: random.value(version))
    }
}

extension TxnOffsetCommitRequest.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            committedOffset: random.value(version),
            committedLeaderEpoch: version >= 2 ? random.value(version) : -1,
            committedMetadata: random.value(version))
    }
}

extension TxnOffsetCommitResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            topics: random.value(version))
    }
}

extension TxnOffsetCommitResponse.Topic: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            name: random.value(version),
            partitions: random.value(version))
    }
}

extension TxnOffsetCommitResponse.Partition: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            partitionIndex: random.value(version),
            errorCode: random.value(version))
    }
}
