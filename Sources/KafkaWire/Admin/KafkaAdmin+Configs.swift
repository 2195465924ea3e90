extension KafkaAdmin {
    /// Returns the configs of topics, brokers and groups (KIP-133).
    ///
    /// - Parameters:
    ///   - resources: The resources. The client asks each broker for its own configs.
    ///   - names: The names of the configs to return; nil for all.
    ///   - includingSynonyms: Whether to return all places that each value could come from (KIP-226).
    ///   - includingDocumentation: Whether to return Kafka's documentation (KIP-569), from Kafka 2.6 on.
    /// - Returns: For each resource its configs by name, or UNKNOWN_TOPIC_OR_PARTITION, BROKER_NOT_AVAILABLE or another
    ///   error of the broker.
    /// - Throws: An error that prevents all of it; `CancellationError`.
    public nonisolated(nonsending) func describeConfigs(
        _ resources: [ConfigResource], names: [String]? = nil, includingSynonyms: Bool = false,
        includingDocumentation: Bool = false
    ) async throws -> [ConfigResource: Result<[ConfigEntry], KafkaError>] {
        try await outcomes(
            of: resources, operation: "describe the configs of", final: [.unknownTopicOrPartition]
        ) { resources in
            try await byBroker(resources, { try await cluster.anyConnection() }) { connection, resources in
                let version = try connection.version(for: DescribeConfigsRequest.self)
                let response = try await connection.call(
                    DescribeConfigsRequest(
                        resources: resources.map {
                            DescribeConfigsRequest.Resource(
                                resourceType: $0.kind.rawValue, resourceName: $0.name, configurationKeys: names)
                        }, includeSynonyms: includingSynonyms,
                        includeDocumentation: includingDocumentation && version >= 3), timeout: requestTimeout)
                var outcomes: [ConfigResource: Result<[ConfigEntry], KafkaError>] = [:]
                for result in response.results {
                    let kind = ConfigResource.Kind(rawValue: result.resourceType)
                    let resource = ConfigResource(kind, result.resourceName)
                    outcomes[resource] = Self.outcome(
                        result.errorCode, result.errorMessage, else: "the configs of \(resource) cannot be described",
                        topic: kind == .topic ? resource.name : nil,
                        success: result.configs.map(ConfigEntry.init).sorted { $0.name < $1.name })
                }
                return outcomes
            }
        }
    }

    /// Alters single configs and leaves the others unchanged (KIP-339), from Kafka 2.3 on.
    ///
    /// - Parameters:
    ///   - alterations: The changes for each resource. The broker applies either all of them or none.
    ///   - validateOnly: Whether the brokers only validate the request.
    /// - Returns: For each resource success, or INVALID_CONFIG, UNKNOWN_TOPIC_OR_PARTITION, BROKER_NOT_AVAILABLE or
    ///   another error of the broker.
    /// - Throws: An error that prevents all of it; `CancellationError`.
    public nonisolated(nonsending) func alterConfigs(
        _ alterations: [ConfigResource: [ConfigAlteration]], validateOnly: Bool = false
    ) async throws -> [ConfigResource: Result<Void, KafkaError>] {
        try await outcomes(
            of: alterations.keys, operation: "alter the configs of", final: [.unknownTopicOrPartition]
        ) { resources in
            try await byBroker(resources, { try await cluster.controllerConnection() }) { connection, resources in
                let response = try await connection.call(
                    IncrementalAlterConfigsRequest(
                        resources: resources.map { resource in
                            IncrementalAlterConfigsRequest.Resource(
                                resourceType: resource.kind.rawValue, resourceName: resource.name,
                                configs: (alterations[resource] ?? []).map(IncrementalAlterConfigsRequest.Config.init))
                        }, validateOnly: validateOnly), timeout: requestTimeout)
                var outcomes: [ConfigResource: Result<Void, KafkaError>] = [:]
                for result in response.responses {
                    let kind = ConfigResource.Kind(rawValue: result.resourceType)
                    let resource = ConfigResource(kind, result.resourceName)
                    outcomes[resource] = Self.outcome(
                        result.errorCode, result.errorMessage, else: "the configs of \(resource) cannot be altered",
                        topic: kind == .topic ? resource.name : nil, success: ())
                }
                return outcomes
            }
        }
    }

    /// Sends the resources of each broker to that broker, and all others together to one broker.
    private func byBroker<Value: Sendable>(
        _ resources: [ConfigResource], _ anyone: () async throws -> NegotiatedConnection,
        _ call: (NegotiatedConnection, [ConfigResource]) async throws -> [ConfigResource: Result<Value, KafkaError>]
    ) async throws -> [ConfigResource: Result<Value, KafkaError>] {
        var outcomes: [ConfigResource: Result<Value, KafkaError>] = [:]
        for (node, resources) in Dictionary(grouping: resources, by: \.node) {
            do {
                let connection = if let node { try await connection(toBroker: node) } else { try await anyone() }
                outcomes.merge(try await call(connection, resources)) { $1 }
            } catch let error as KafkaError {
                for resource in resources { outcomes[resource] = .failure(error) }
            }
        }
        return outcomes
    }

    /// - Throws: BROKER_NOT_AVAILABLE if the cluster has no such broker.
    private func connection(toBroker node: Int32) async throws -> NegotiatedConnection {
        if await cluster.brokers[node] == nil { try await cluster.refresh(topics: []) }
        guard await cluster.brokers[node] != nil else {
            throw KafkaError(.brokerNotAvailable, "the cluster has no broker \(node)", isRetriable: false)
        }
        return try await cluster.connection(to: node, role: .general)
    }
}

extension ConfigResource {
    /// The broker that knows these configs; nil if every broker does.
    fileprivate var node: Int32? { kind == .broker || kind == .brokerLogger ? Int32(name) : nil }
}

extension ConfigEntry {
    fileprivate init(_ config: DescribeConfigsResponse.Config) {
        name = config.name
        value = config.isSensitive ? nil : config.value
        source = Source(rawValue: config.configSource)
        isReadOnly = config.readOnly
        isSensitive = config.isSensitive
        type = ValueType(rawValue: config.configType)
        synonyms = config.synonyms.map {
            Synonym(name: $0.name, value: $0.value, source: Source(rawValue: $0.source))
        }
        documentation = config.documentation.flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension IncrementalAlterConfigsRequest.Config {
    fileprivate init(_ alteration: ConfigAlteration) {
        switch alteration {
        case .set(let name, let value): self.init(name: name, configOperation: 0, value: value)
        case .delete(let name): self.init(name: name, configOperation: 1, value: nil)
        case .append(let name, let value): self.init(name: name, configOperation: 2, value: value)
        case .subtract(let name, let value): self.init(name: name, configOperation: 3, value: value)
        }
    }
}
