import KafkaWire

extension APICall {
    func offsetForLeaderEpoch(_ request: OffsetForLeaderEpochRequest) -> Reply<OffsetForLeaderEpochResponse> {
        state.withLock { state in
            let topics = request.topics.map { topic in
                OffsetForLeaderEpochResponse.TopicResult(
                    topic: topic.topic, partitions: topic.partitions.map { find($0, in: topic.topic, &state) })
            }
            return .response(OffsetForLeaderEpochResponse(topics: topics))
        }
    }

    private func find(
        _ asked: OffsetForLeaderEpochRequest.Partition, in topic: String, _ state: inout ClusterState
    ) -> OffsetForLeaderEpochResponse.EpochEndOffset {
        var answer = OffsetForLeaderEpochResponse.EpochEndOffset(partition: asked.partition)
        let key = TopicPartition(topic: topic, partition: asked.partition)
        if let refusal = refusal(.offsetForLeaderEpoch, key, &state) {
            answer.errorCode = refusal.code.rawValue
        } else if let log = state.partition(key) {
            if let error = state.leadershipError(log, node: node, epoch: asked.currentLeaderEpoch) {
                answer.errorCode = error.rawValue
            } else {
                (answer.leaderEpoch, answer.endOffset) = log.end(ofEpoch: asked.leaderEpoch)
            }
        } else {
            answer.errorCode = ErrorCode.unknownTopicOrPartition.rawValue
        }
        return answer
    }
}
