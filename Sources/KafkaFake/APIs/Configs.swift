import KafkaWire

// DescribeConfigs and IncrementalAlterConfigs, for topics.
extension APICall {
    /// The resource type of topics.
    private static let topicType: Int8 = 2

    func describeConfigs(_ request: DescribeConfigsRequest) -> Reply<DescribeConfigsResponse> {
        state.withLock { state in
            .response(DescribeConfigsResponse(results: request.resources.map { describe($0, request, state) }))
        }
    }

    private func describe(
        _ asked: DescribeConfigsRequest.Resource, _ request: DescribeConfigsRequest, _ state: ClusterState
    ) -> DescribeConfigsResponse.Result {
        var result = DescribeConfigsResponse.Result(
            errorMessage: nil, resourceType: asked.resourceType, resourceName: asked.resourceName)
        if let (code, message) = problem(asked.resourceType, asked.resourceName, state) {
            result.errorCode = code.rawValue
            result.errorMessage = message
        } else if let configs = state.topics[asked.resourceName]?.configs {
            let names = asked.configurationKeys.map(Set.init)
            result.configs = TopicConfigs.definitions.sorted { $0.key < $1.key }.compactMap { name, definition in
                guard names?.contains(name) ?? true else { return nil }
                return describe(name, definition, configs, request)
            }
        }
        return result
    }

    private func describe(
        _ name: String, _ definition: TopicConfigs.Definition, _ configs: TopicConfigs,
        _ request: DescribeConfigsRequest
    ) -> DescribeConfigsResponse.Config {
        let set = configs.values[name]
        var synonyms: [DescribeConfigsResponse.Synonym] = []
        if request.includeSynonyms {
            if let set { synonyms.append(.init(name: name, value: set, source: 1)) }
            synonyms.append(.init(name: name, value: definition.defaultValue, source: 5))
        }
        // Source 1 is the topic's own setting, source 5 the default.
        return DescribeConfigsResponse.Config(
            name: name, value: set ?? definition.defaultValue, configSource: set == nil ? 5 : 1, synonyms: synonyms,
            configType: version >= 3 ? definition.kind.number : 0, documentation: nil)
    }

    func incrementalAlterConfigs(_ request: IncrementalAlterConfigsRequest) -> Reply<IncrementalAlterConfigsResponse> {
        defer { state.notifyAll() }
        return state.withLock { state in
            let results = request.resources.map { asked in
                let problem = alter(asked, isDryRun: request.validateOnly, &state)
                return IncrementalAlterConfigsResponse.Result(
                    errorCode: (problem?.0 ?? .none).rawValue, errorMessage: problem?.1,
                    resourceType: asked.resourceType, resourceName: asked.resourceName)
            }
            return .response(IncrementalAlterConfigsResponse(responses: results))
        }
    }

    private func alter(
        _ asked: IncrementalAlterConfigsRequest.Resource, isDryRun: Bool, _ state: inout ClusterState
    ) -> (ErrorCode, String)? {
        if let problem = problem(asked.resourceType, asked.resourceName, state) { return problem }
        guard var configs = state.topics[asked.resourceName]?.configs else { return nil }
        for config in asked.configs {
            let problem: String?
            switch config.configOperation {
            case 0: problem = configs.set(config.name, config.value ?? "")
            case 1: problem = configs.set(config.name, nil)
            case 2: problem = configs.append(config.value ?? "", to: config.name)
            case 3: problem = configs.subtract(config.value ?? "", from: config.name)
            default: return (.invalidRequest, "there is no operation \(config.configOperation)")
            }
            if let problem { return (.invalidConfig, problem) }
        }
        if !isDryRun { state.topics[asked.resourceName]?.configs = configs }
        return nil
    }

    private func problem(_ type: Int8, _ name: String, _ state: ClusterState) -> (ErrorCode, String)? {
        if let refusal { return (refusal.code, "a test asked for this error") }
        guard type == Self.topicType else { return (.invalidRequest, "only topics have settings here") }
        return state.topics[name] == nil ? (.unknownTopicOrPartition, "there is no topic \(name)") : nil
    }
}

extension TopicConfigs.Kind {
    /// The type's number in DescribeConfigs.
    fileprivate var number: Int8 {
        switch self {
        case .bool: 1
        case .choice: 2
        case .number: 5
        case .fraction: 6
        case .list: 7
        }
    }
}
