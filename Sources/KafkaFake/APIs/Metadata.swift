import KafkaWire

extension APICall {
    func metadata(_ request: MetadataRequest) -> Reply<MetadataResponse> {
        state.withLock { state in
            let running = state.runningNodes
            var response = MetadataResponse(clusterId: state.clusterID, controllerId: running.first?.id ?? -1)
            response.brokers = running.map {
                MetadataResponse.Broker(nodeId: $0.id, host: "127.0.0.1", port: Int32($0.port), rack: $0.rack)
            }
            if version >= 13, let refusal { response.errorCode = refusal.code.rawValue }
            let wantsAll = request.topics.map { version == 0 && $0.isEmpty } ?? true
            let wanted =
                wantsAll
                ? state.topics.keys.sorted().map { MetadataRequest.Topic(name: $0) } : request.topics ?? []
            response.topics = wanted.map { describe($0, &state) }
            // Like a real broker, create the topics, but still answer that they do not exist.
            if state.createsTopics, request.allowAutoTopicCreation, !wantsAll {
                for name in wanted.compactMap(\.name) where state.topics[name] == nil && !name.isEmpty {
                    _ = state.createTopic(name, partitions: defaultPartitions)
                }
            }
            return .response(response)
        }
    }

    private func describe(_ asked: MetadataRequest.Topic, _ state: inout ClusterState) -> MetadataResponse.Topic {
        let topic = state.topic(name: asked.name ?? "", id: asked.topicId)
        let name = asked.name ?? topic?.name
        if let refusal {
            return MetadataResponse.Topic(errorCode: refusal.code.rawValue, name: name ?? "", topicId: asked.topicId)
        }
        guard let topic else {
            let code: ErrorCode = asked.name == nil ? .unknownTopicId : .unknownTopicOrPartition
            return MetadataResponse.Topic(errorCode: code.rawValue, name: name, topicId: asked.topicId)
        }
        return MetadataResponse.Topic(
            name: topic.name, topicId: topic.id,
            partitions: topic.partitions.enumerated().map { index, log in
                let isRunning = log.leader.flatMap { state.nodes[$0]?.isRunning } ?? false
                let alive = log.replicas.filter { state.nodes[$0]?.isRunning ?? false }
                return MetadataResponse.Partition(
                    errorCode: (isRunning ? ErrorCode.none : .leaderNotAvailable).rawValue,
                    partitionIndex: Int32(index), leaderId: isRunning ? log.leader ?? -1 : -1,
                    leaderEpoch: log.leaderEpoch, replicaNodes: log.replicas, isrNodes: alive,
                    offlineReplicas: log.replicas.filter { !alive.contains($0) })
            })
    }
}
