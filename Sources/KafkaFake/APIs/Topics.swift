import KafkaWire

// CreateTopics and DeleteTopics. Every broker carries them out, as in Kafka 4.0 and later.
extension APICall {
    func createTopics(_ request: CreateTopicsRequest) -> Reply<CreateTopicsResponse> {
        let results = state.withLock { state in
            request.topics.map { create($0, isDryRun: request.validateOnly, &state) }
        }
        state.notifyAll()
        return .response(CreateTopicsResponse(topics: results))
    }

    private func create(
        _ asked: CreateTopicsRequest.CreatableTopic, isDryRun: Bool, _ state: inout ClusterState
    ) -> CreateTopicsResponse.CreatableTopicResult {
        func refused(_ code: ErrorCode, _ message: String) -> CreateTopicsResponse.CreatableTopicResult {
            CreateTopicsResponse.CreatableTopicResult(
                name: asked.name, errorCode: code.rawValue, errorMessage: message, configs: nil)
        }
        if let refusal, !refusal.isAfterwards { return refused(refusal.code, "a test asked for this error") }
        guard Self.isTopicName(asked.name) else {
            return refused(.invalidTopicException, "'\(asked.name)' can't be a topic's name")
        }
        if state.topics[asked.name] != nil { return refused(.topicAlreadyExists, "the topic exists already") }
        guard asked.assignments.isEmpty else {
            return refused(.invalidReplicaAssignment, "this broker places replicas itself")
        }
        let partitions = asked.numPartitions == -1 ? Int32(clamping: defaultPartitions) : asked.numPartitions
        guard (1...100_000).contains(partitions) else {
            return refused(.invalidPartitions, "a topic can't have \(partitions) partitions")
        }
        let replication = asked.replicationFactor == -1 ? 1 : asked.replicationFactor
        guard replication >= 1, Int(replication) <= state.nodes.count else {
            return refused(
                .invalidReplicationFactor, "\(state.nodes.count) brokers can't keep \(replication) replicas")
        }
        var configs = TopicConfigs()
        for config in asked.configs {
            if let problem = configs.set(config.name, config.value) { return refused(.invalidConfig, problem) }
        }
        var id = KafkaUUID.zero
        if !isDryRun {
            id = state.createTopic(asked.name, partitions: Int(partitions), replication: Int(replication)).id
            state.topics[asked.name]?.configs = configs
        }
        if let refusal { return refused(refusal.code, "a test asked for this error") }
        return CreateTopicsResponse.CreatableTopicResult(
            name: asked.name, topicId: id, errorMessage: nil, numPartitions: partitions,
            replicationFactor: replication)
    }

    private static func isTopicName(_ name: String) -> Bool {
        (1...249).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { byte in
                let isLetter = (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte)
                return isLetter || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }

    func deleteTopics(_ request: DeleteTopicsRequest) -> Reply<DeleteTopicsResponse> {
        let asked =
            version >= 6
            ? request.topics : request.topicNames.map { DeleteTopicsRequest.DeleteTopicState(name: $0) }
        let results = state.withLock { state in asked.map { delete($0, &state) } }
        state.notifyAll()
        return .response(DeleteTopicsResponse(responses: results))
    }

    private func delete(
        _ asked: DeleteTopicsRequest.DeleteTopicState, _ state: inout ClusterState
    ) -> DeleteTopicsResponse.DeletableTopicResult {
        if let refusal, !refusal.isAfterwards {
            return DeleteTopicsResponse.DeletableTopicResult(
                name: asked.name ?? "", topicId: asked.topicId, errorCode: refusal.code.rawValue)
        }
        guard let topic = state.topic(name: asked.name ?? "", id: asked.topicId) else {
            let code: ErrorCode = asked.name == nil ? .unknownTopicId : .unknownTopicOrPartition
            return DeleteTopicsResponse.DeletableTopicResult(
                name: asked.name, topicId: asked.topicId, errorCode: code.rawValue,
                errorMessage: "there is no such topic")
        }
        state.topics[topic.name] = nil
        state.offsets.forget(topic: topic.name)
        return DeleteTopicsResponse.DeletableTopicResult(
            name: topic.name, topicId: topic.id, errorCode: refusal?.code.rawValue ?? 0)
    }
}
