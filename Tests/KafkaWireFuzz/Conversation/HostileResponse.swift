import KafkaWire

/// A response that passes its fields to a `NumberOverwriter`, always in the same order.
protocol HostileResponse: WireMessage {
    mutating func visit(_ overwriter: inout NumberOverwriter)
}

extension FetchResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
        overwriter.number(&sessionId)
        overwriter.list(&responses) { topic, overwriter in
            overwriter.text(&topic.topic)
            overwriter.id(&topic.topicId)
            overwriter.list(&topic.partitions) { partition, overwriter in
                overwriter.number(&partition.partitionIndex)
                overwriter.code(&partition.errorCode)
                overwriter.number(&partition.highWatermark)
                overwriter.number(&partition.lastStableOffset)
                overwriter.number(&partition.logStartOffset)
                overwriter.number(&partition.divergingEpoch.epoch)
                overwriter.number(&partition.divergingEpoch.endOffset)
                overwriter.number(&partition.currentLeader.leaderId)
                overwriter.number(&partition.currentLeader.leaderEpoch)
                overwriter.number(&partition.preferredReadReplica)
                overwriter.records(&partition.records)
                if var aborted = partition.abortedTransactions {
                    overwriter.list(&aborted) { transaction, overwriter in
                        overwriter.number(&transaction.producerId)
                        overwriter.number(&transaction.firstOffset)
                    }
                    partition.abortedTransactions = aborted
                }
            }
        }
    }
}

extension MetadataResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        // The host stays unchanged: the client must only connect to this machine.
        overwriter.list(&brokers) { broker, overwriter in
            overwriter.number(&broker.nodeId)
            overwriter.port(&broker.port)
        }
        overwriter.number(&controllerId)
        overwriter.code(&errorCode)
        overwriter.list(&topics) { topic, overwriter in
            overwriter.code(&topic.errorCode)
            overwriter.text(&topic.name)
            overwriter.id(&topic.topicId)
            overwriter.list(&topic.partitions) { partition, overwriter in
                overwriter.code(&partition.errorCode)
                overwriter.number(&partition.partitionIndex)
                overwriter.number(&partition.leaderId)
                overwriter.number(&partition.leaderEpoch)
                overwriter.numbers(&partition.replicaNodes)
                overwriter.numbers(&partition.isrNodes)
                overwriter.numbers(&partition.offlineReplicas)
            }
        }
    }
}

extension ListOffsetsResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.list(&topics) { topic, overwriter in
            overwriter.text(&topic.name)
            overwriter.list(&topic.partitions) { partition, overwriter in
                overwriter.number(&partition.partitionIndex)
                overwriter.code(&partition.errorCode)
                overwriter.number(&partition.timestamp)
                overwriter.number(&partition.offset)
                overwriter.number(&partition.leaderEpoch)
            }
        }
    }
}

extension OffsetForLeaderEpochResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.list(&topics) { topic, overwriter in
            overwriter.text(&topic.topic)
            overwriter.list(&topic.partitions) { partition, overwriter in
                overwriter.code(&partition.errorCode)
                overwriter.number(&partition.partition)
                overwriter.number(&partition.leaderEpoch)
                overwriter.number(&partition.endOffset)
            }
        }
    }
}

extension ProduceResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.list(&responses) { topic, overwriter in
            overwriter.text(&topic.name)
            overwriter.id(&topic.topicId)
            overwriter.list(&topic.partitionResponses) { partition, overwriter in
                overwriter.number(&partition.index)
                overwriter.code(&partition.errorCode)
                overwriter.number(&partition.baseOffset)
                overwriter.number(&partition.logAppendTimeMs)
                overwriter.number(&partition.logStartOffset)
                overwriter.text(&partition.errorMessage)
                overwriter.number(&partition.currentLeader.leaderId)
                overwriter.number(&partition.currentLeader.leaderEpoch)
                overwriter.list(&partition.recordErrors) { $1.number(&$0.batchIndex) }
            }
        }
    }
}

extension InitProducerIdResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
        overwriter.number(&producerId)
        overwriter.number(&producerEpoch)
    }
}

extension ApiVersionsResponse: HostileResponse {
    mutating func visit(_ overwriter: inout NumberOverwriter) {
        overwriter.pause(&throttleTimeMs)
        overwriter.code(&errorCode)
        overwriter.list(&apis) { api, overwriter in
            overwriter.number(&api.apiKey)
            overwriter.number(&api.minVersion)
            overwriter.number(&api.maxVersion)
        }
        overwriter.list(&finalizedFeatures) { feature, overwriter in
            overwriter.number(&feature.maxVersionLevel)
            overwriter.number(&feature.minVersionLevel)
        }
    }
}
