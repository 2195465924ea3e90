import KafkaWire

extension APICall {
    func createPartitions(_ request: CreatePartitionsRequest) -> Reply<CreatePartitionsResponse> {
        defer { state.notifyAll() }
        return state.withLock { state in
            let results = request.topics.map { asked in
                let problem = add(asked, isDryRun: request.validateOnly, &state)
                return CreatePartitionsResponse.Result(
                    name: asked.name, errorCode: (problem?.0 ?? .none).rawValue, errorMessage: problem?.1)
            }
            return .response(CreatePartitionsResponse(results: results))
        }
    }

    private func add(
        _ asked: CreatePartitionsRequest.Topic, isDryRun: Bool, _ state: inout ClusterState
    ) -> (ErrorCode, String)? {
        let injected = refusal.map { ($0.code, "a test asked for this error") }
        if let injected, refusal?.isAfterwards == false { return injected }
        guard let topic = state.topics[asked.name] else {
            return (.unknownTopicOrPartition, "there is no topic \(asked.name)")
        }
        let count = topic.partitions.count
        guard asked.count > count else {
            return (.invalidPartitions, "the topic has \(count) partitions, and can't have fewer or the same")
        }
        guard asked.count <= 100_000 else { return (.invalidPartitions, "\(asked.count) partitions are too many") }
        guard asked.assignments == nil else {
            return (.invalidReplicaAssignment, "this broker places replicas itself")
        }
        if !isDryRun { state.addPartitions(to: asked.name, count: Int(asked.count)) }
        return injected
    }
}
