extension KafkaAdmin {
    /// The settings of topics, brokers and groups (KIP-133).
    ///
    /// - Parameters:
    ///   - resources: Those of a broker are asked of that broker.
    ///   - names: The settings that are wanted; nil for all.
    ///   - includingSynonyms: Whether each comes with all the places that it could have its value from (KIP-226).
    ///   - includingDocumentation: Whether each comes with what it is for (KIP-569), from Kafka 2.6 on.
    /// - Returns: For each resource its settings by name, or UNKNOWN_TOPIC_OR_PARTITION, BROKER_NOT_AVAILABLE and what
    ///   else the broker finds.
    public func describeConfigs(
        _ resources: [ConfigResource], names: [String]? = nil, includingSynonyms: Bool = false,
        includingDocumentation: Bool = false
    ) async throws -> [ConfigResource: Result<[ConfigEntry], KafkaError>] {
        try await outcomes(
            of: resources, operation: "describe the settings of", final: [.unknownTopicOrPartition]
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
                    guard let kind = ConfigResource.Kind(rawValue: result.resourceType) else { continue }
                    let resource = ConfigResource(kind, result.resourceName)
                    outcomes[resource] = Self.outcome(
                        result.errorCode, result.errorMessage, else: "the settings of \(resource) can't be told",
                        topic: kind == .topic ? resource.name : nil,
                        success: result.configs.map(ConfigEntry.init).sorted { $0.name < $1.name })
                }
                return outcomes
            }
        }
    }

    /// Alters settings one by one and leaves the others as they are (KIP-339), from Kafka 2.3 on.
    ///
    /// - Parameters:
    ///   - alterations: For each resource what to change: all of it is done or nothing.
    ///   - validateOnly: Whether the brokers only say whether they could.
    /// - Returns: For each resource success, or INVALID_CONFIG, UNKNOWN_TOPIC_OR_PARTITION, BROKER_NOT_AVAILABLE and
    ///   what else the broker finds.
    public func alterConfigs(
        _ alterations: [ConfigResource: [ConfigAlteration]], validateOnly: Bool = false
    ) async throws -> [ConfigResource: Result<Void, KafkaError>] {
        try await outcomes(
            of: alterations.keys, operation: "change the settings of", final: [.unknownTopicOrPartition]
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
                    guard let kind = ConfigResource.Kind(rawValue: result.resourceType) else { continue }
                    let resource = ConfigResource(kind, result.resourceName)
                    outcomes[resource] = Self.outcome(
                        result.errorCode, result.errorMessage, else: "the settings of \(resource) can't be altered",
                        topic: kind == .topic ? resource.name : nil, success: ())
                }
                return outcomes
            }
        }
    }

    /// Sends what is about a broker to that broker, and everything else together to another.
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

    /// - Throws: BROKER_NOT_AVAILABLE where the cluster has no such broker.
    private func connection(toBroker node: Int32) async throws -> NegotiatedConnection {
        if await cluster.brokers[node] == nil { try await cluster.refresh(topics: []) }
        guard await cluster.brokers[node] != nil else {
            throw KafkaError(.brokerNotAvailable, "the cluster has no broker \(node)", isRetriable: false)
        }
        return try await cluster.connection(to: node, role: .general)
    }
}

extension ConfigResource {
    /// The broker that alone knows these settings; nil where any does.
    fileprivate var node: Int32? { kind == .broker || kind == .brokerLogger ? Int32(name) : nil }
}

extension ConfigEntry {
    fileprivate init(_ config: DescribeConfigsResponse.Config) {
        name = config.name
        value = config.isSensitive ? nil : config.value
        source = Source(rawValue: config.configSource) ?? .unknown
        isReadOnly = config.readOnly
        isSensitive = config.isSensitive
        type = ValueType(rawValue: config.configType) ?? .unknown
        synonyms = config.synonyms.map {
            Synonym(name: $0.name, value: $0.value, source: Source(rawValue: $0.source) ?? .unknown)
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
