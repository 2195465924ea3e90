import KafkaWire

extension ConsumerGroupDescribeRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            groupIds: random.value(version),
            includeAuthorizedOperations: random.value(version))
    }
}

extension ConsumerGroupDescribeResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            throttleTimeMs: random.value(version),
            groups: random.value(version))
    }
}

extension ConsumerGroupDescribeResponse.Group: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            errorMessage: random.value(version),
            groupId: random.value(version),
            groupState: random.value(version),
            groupEpoch: random.value(version),
            assignmentEpoch: random.value(version),
            assignorName: random.value(version),
            members: random.value(version),
            authorizedOperations: random.value(version))
    }
}

extension ConsumerGroupDescribeResponse.Member: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            memberId: random.value(version),
            instanceId: random.value(version),
            rackId: random.value(version),
            memberEpoch: random.value(version),
            clientId: random.value(version),
            clientHost: random.value(version),
            subscribedTopicNames: random.value(version),
            subscribedTopicRegex: random.value(version),
            assignment: random.value(version),
            targetAssignment: random.value(version),
            memberType: version >= 1 ? random.value(version) : -1)
    }
}

extension ConsumerGroupDescribeResponse.Assignment: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topicPartitions: random.value(version))
    }
}

extension ConsumerGroupDescribeResponse.TopicPartitions: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            topicId: random.value(version),
            topicName: random.value(version),
            partitions: random.value(version))
    }
}
