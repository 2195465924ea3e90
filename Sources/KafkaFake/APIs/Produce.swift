import KafkaWire

extension APICall {
    func produce(_ request: ProduceRequest) -> Reply<ProduceResponse> {
        var response = ProduceResponse()
        var hasError = false
        state.withLock { state in
            for topic in request.topicData {
                let known = state.topic(name: topic.name, id: topic.topicId)
                let partitions = topic.partitionData.map { data in
                    let answer = self.write(data, to: known, acks: request.acks, &state)
                    if answer.errorCode != ErrorCode.none.rawValue { hasError = true }
                    if answer.currentLeader.leaderId >= 0, version >= 10 {
                        response.nodeEndpoints += endpoint(answer.currentLeader.leaderId, state)
                    }
                    return answer
                }
                response.responses.append(
                    ProduceResponse.TopicResponse(
                        name: topic.name, topicId: topic.topicId, partitionResponses: partitions))
            }
        }
        state.notifyAll()
        // Without acknowledgements a broker has no other way to tell of an error.
        guard request.acks != 0 else { return hasError ? .hangUp : .none }
        return .response(response)
    }

    private func write(
        _ data: ProduceRequest.PartitionData, to topic: ClusterState.Topic?, acks: Int16, _ state: inout ClusterState
    ) -> ProduceResponse.PartitionResponse {
        func refused(_ code: ErrorCode, _ message: String? = nil) -> ProduceResponse.PartitionResponse {
            ProduceResponse.PartitionResponse(
                index: data.index, errorCode: code.rawValue, baseOffset: -1, errorMessage: message)
        }
        guard let topic else { return refused(version >= 13 ? .unknownTopicId : .unknownTopicOrPartition) }
        guard let log = topic.partition(data.index) else { return refused(.unknownTopicOrPartition) }
        guard (-1...1).contains(acks) else { return refused(.invalidRequiredAcks) }
        let partition = TopicPartition(topic: topic.name, partition: data.index)
        let refusal = refusal(.produce, partition, &state)
        if let refusal, !refusal.isAfterwards { return refused(refusal.code) }
        if let error = state.leadershipError(log, node: node, epoch: -1) {
            var answer = refused(error)
            if version >= 10, let leader = log.leader {
                answer.currentLeader = LeaderIdAndEpoch(leaderId: leader, leaderEpoch: log.leaderEpoch)
            }
            return answer
        }
        switch BatchCheck.header(of: data.records, maximum: topic.maximumMessageBytes) {
        case .failure(let problem):
            return refused(problem.code, problem.message)
        case .success(let header):
            var baseOffset: Int64
            switch log.producers.check(header) {
            case .refused(let code): return refused(code)
            case .duplicate(let offset): baseOffset = offset
            case .next:
                baseOffset = log.endOffset
                if let records = data.records { log.append(records, header) }
                log.producers.wrote(header, at: baseOffset)
            }
            if let refusal { return refused(refusal.code) }
            return ProduceResponse.PartitionResponse(
                index: data.index, baseOffset: baseOffset, logStartOffset: log.startOffset)
        }
    }

    /// Where the leader that an answer names is reached (KIP-951).
    func endpoint(_ leader: Int32, _ state: ClusterState) -> [NodeEndpoint] {
        guard let node = state.nodes[leader] else { return [] }
        return [NodeEndpoint(nodeId: leader, host: "127.0.0.1", port: Int32(node.port))]
    }
}
