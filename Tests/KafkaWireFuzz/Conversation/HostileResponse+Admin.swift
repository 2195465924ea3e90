import KafkaWire

// The responses to administrative requests.

extension DescribeClusterResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
        overwriter.number(&controllerId)
        // The host stays unchanged: the client must only connect to this machine.
        overwriter.list(&brokers) { broker, overwriter in
            overwriter.number(&broker.brokerId)
            overwriter.port(&broker.port)
        }
    }
}

extension CreateTopicsResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.list(&topics) { topic, overwriter in
            overwriter.text(&topic.name)
            overwriter.id(&topic.topicId)
            overwriter.code(&topic.errorCode)
            overwriter.number(&topic.numPartitions)
            overwriter.number(&topic.replicationFactor)
        }
    }
}

extension CreatePartitionsResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.list(&results) { result, overwriter in
            overwriter.text(&result.name)
            overwriter.code(&result.errorCode)
        }
    }
}

extension DeleteRecordsResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.list(&topics) { topic, overwriter in
            overwriter.text(&topic.name)
            overwriter.list(&topic.partitions) { partition, overwriter in
                overwriter.number(&partition.partitionIndex)
                overwriter.number(&partition.lowWatermark)
                overwriter.code(&partition.errorCode)
            }
        }
    }
}

extension ListGroupsResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
        overwriter.list(&groups) { group, overwriter in
            overwriter.text(&group.groupId)
            overwriter.text(&group.groupState)
            overwriter.text(&group.groupType)
        }
    }
}

extension DescribeGroupsResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.list(&groups) { group, overwriter in
            overwriter.code(&group.errorCode)
            overwriter.text(&group.groupId)
            overwriter.text(&group.groupState)
            overwriter.text(&group.protocolType)
            overwriter.list(&group.members) { member, overwriter in
                overwriter.text(&member.memberId)
                overwriter.bytes(&member.memberMetadata)
                overwriter.bytes(&member.memberAssignment)
            }
        }
    }
}

extension ConsumerGroupDescribeResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.list(&groups) { group, overwriter in
            overwriter.code(&group.errorCode)
            overwriter.text(&group.groupId)
            overwriter.number(&group.groupEpoch)
            overwriter.number(&group.assignmentEpoch)
            overwriter.list(&group.members) { member, overwriter in
                overwriter.number(&member.memberEpoch)
                overwriter.list(&member.assignment.topicPartitions) { topic, overwriter in
                    overwriter.id(&topic.topicId)
                    overwriter.text(&topic.topicName)
                    overwriter.numbers(&topic.partitions)
                }
            }
        }
    }
}

extension DescribeConfigsResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.list(&results) { result, overwriter in
            overwriter.code(&result.errorCode)
            overwriter.number(&result.resourceType)
            overwriter.text(&result.resourceName)
            overwriter.list(&result.configs) { config, overwriter in
                overwriter.number(&config.configSource)
                overwriter.number(&config.configType)
            }
        }
    }
}

extension OffsetDeleteResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.code(&errorCode)
        overwriter.pause(&throttleTimeMs)
        overwriter.list(&topics) { topic, overwriter in
            overwriter.text(&topic.name)
            overwriter.list(&topic.partitions) { partition, overwriter in
                overwriter.number(&partition.partitionIndex)
                overwriter.code(&partition.errorCode)
            }
        }
    }
}
