import KafkaWire

extension APICall {
    func deleteRecords(_ request: DeleteRecordsRequest) -> Reply<DeleteRecordsResponse> {
        defer { state.notifyAll() }
        return state.withLock { state in
            let topics = request.topics.map { topic in
                DeleteRecordsResponse.Topic(
                    name: topic.name, partitions: topic.partitions.map { delete($0, of: topic.name, &state) })
            }
            return .response(DeleteRecordsResponse(topics: topics))
        }
    }

    private func delete(
        _ asked: DeleteRecordsRequest.Partition, of topic: String, _ state: inout ClusterState
    ) -> DeleteRecordsResponse.Partition {
        func refused(_ code: ErrorCode) -> DeleteRecordsResponse.Partition {
            DeleteRecordsResponse.Partition(
                partitionIndex: asked.partitionIndex, lowWatermark: -1, errorCode: code.rawValue)
        }
        let key = TopicPartition(topic: topic, partition: asked.partitionIndex)
        let refusal = refusal(.deleteRecords, key, &state)
        if let refusal, !refusal.isAfterwards { return refused(refusal.code) }
        guard let log = state.partition(key) else { return refused(.unknownTopicOrPartition) }
        if let error = state.leadershipError(log, node: node, epoch: -1) { return refused(error) }
        // A topic whose policy is only `compact` refuses DeleteRecords.
        let policy = state.topics[topic]?.configs.value("cleanup.policy") ?? ""
        guard policy.split(separator: ",").contains("delete") else { return refused(.policyViolation) }
        // -1 means the high watermark.
        let offset = asked.offset == -1 ? log.endOffset : asked.offset
        guard (0...log.endOffset).contains(offset) else { return refused(.offsetOutOfRange) }
        log.moveStart(to: offset)
        if let refusal { return refused(refusal.code) }
        return DeleteRecordsResponse.Partition(partitionIndex: asked.partitionIndex, lowWatermark: log.startOffset)
    }
}
