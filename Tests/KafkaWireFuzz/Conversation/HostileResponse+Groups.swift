import KafkaWire

// The responses of group and transaction coordinators.

extension FindCoordinatorResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
        overwriter.number(&nodeId)
        overwriter.port(&port)
        overwriter.list(&coordinators) { coordinator, overwriter in
            overwriter.text(&coordinator.key)
            overwriter.number(&coordinator.nodeId)
            overwriter.port(&coordinator.port)
            overwriter.code(&coordinator.errorCode)
        }
    }
}

extension JoinGroupResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
        overwriter.number(&generationId)
        overwriter.text(&protocolName)
        overwriter.text(&leader)
        overwriter.text(&memberId)
        overwriter.list(&members) { member, overwriter in
            overwriter.text(&member.memberId)
            overwriter.text(&member.groupInstanceId)
            overwriter.bytes(&member.metadata)
        }
    }
}

extension SyncGroupResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
        overwriter.text(&protocolName)
        overwriter.bytes(&assignment)
    }
}

extension HeartbeatResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
    }
}

extension ConsumerGroupHeartbeatResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
        overwriter.text(&errorMessage)
        overwriter.text(&memberId)
        overwriter.number(&memberEpoch)
        overwriter.number(&heartbeatIntervalMs)
        if var known = assignment {
            overwriter.list(&known.topicPartitions) { topic, overwriter in
                overwriter.id(&topic.topicId)
                overwriter.numbers(&topic.partitions)
            }
            assignment = known
        }
    }
}

extension OffsetFetchResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
        overwriter.list(&topics) { topic, overwriter in
            overwriter.text(&topic.name)
            overwriter.list(&topic.partitions) { partition, overwriter in
                overwriter.number(&partition.partitionIndex)
                overwriter.number(&partition.committedOffset)
                overwriter.number(&partition.committedLeaderEpoch)
                overwriter.code(&partition.errorCode)
            }
        }
        overwriter.list(&groups) { group, overwriter in
            overwriter.code(&group.errorCode)
            overwriter.list(&group.topics) { topic, overwriter in
                overwriter.text(&topic.name)
                overwriter.id(&topic.topicId)
                overwriter.list(&topic.partitions) { partition, overwriter in
                    overwriter.number(&partition.partitionIndex)
                    overwriter.number(&partition.committedOffset)
                    overwriter.number(&partition.committedLeaderEpoch)
                    overwriter.code(&partition.errorCode)
                }
            }
        }
    }
}

extension OffsetCommitResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
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

extension AddPartitionsToTxnResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
    }
}

extension EndTxnResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
        overwriter.number(&producerId)
        overwriter.number(&producerEpoch)
    }
}

extension TxnOffsetCommitResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.list(&topics) { topic, overwriter in
            overwriter.list(&topic.partitions) { $1.code(&$0.errorCode) }
        }
    }
}
