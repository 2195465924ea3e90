/// A cluster: who its brokers are.
public struct ClusterDescription: Sendable, Hashable {
    /// Nil where the broker doesn't say (before Kafka 0.10.1).
    public let clusterID: String?
    /// The broker that decides about topics and settings; with KRaft, one that passes such requests on. Nil where the
    /// cluster has none at the moment.
    public let controller: Int32?
    /// By node id.
    public let brokers: [BrokerDescription]
}

/// A broker as its cluster describes it.
public struct BrokerDescription: Sendable, Hashable {
    /// `node.id` of the broker, and what a partition's `leader` and `replicas` name it by.
    public let nodeID: Int32
    /// As it tells clients of the listener that they came by (`advertised.listeners`).
    public let host: String
    /// Of the same listener.
    public let port: Int32
    /// `broker.rack`; nil where it isn't set.
    public let rack: String?
    /// Whether the controller has shut it out, since it hasn't been heard of for too long (KIP-1073).
    public let isFenced: Bool
}

extension KafkaAdmin {
    /// The cluster's id, controller and brokers (KIP-700); before Kafka 2.8 by what its metadata tell.
    ///
    /// - Parameter includingFenced: Whether brokers are told that the controller has shut out, as Kafka 4.0 and later
    ///   can; others leave them out.
    public func describeCluster(includingFenced: Bool = false) async throws -> ClusterDescription {
        try await cluster.retrying(operation: "describe the cluster") {
            let connection = try await cluster.anyConnection()
            // From Kafka 2.8 on (KIP-700).
            guard let version = try? connection.version(for: DescribeClusterRequest.self) else {
                return ClusterDescription(
                    try await connection.call(
                        MetadataRequest(topics: [], allowAutoTopicCreation: false), timeout: requestTimeout))
            }
            let response = try await connection.call(
                DescribeClusterRequest(includeFencedBrokers: includingFenced && version >= 2), timeout: requestTimeout)
            return try Self.outcome(
                response.errorCode, response.errorMessage, else: "the cluster can't be described",
                success: ClusterDescription(response)
            ).get()
        }
    }
}

extension ClusterDescription {
    fileprivate init(_ response: DescribeClusterResponse) {
        clusterID = response.clusterId
        controller = response.controllerId < 0 ? nil : response.controllerId
        brokers = response.brokers.map {
            BrokerDescription(nodeID: $0.brokerId, host: $0.host, port: $0.port, rack: $0.rack, isFenced: $0.isFenced)
        }.sorted { $0.nodeID < $1.nodeID }
    }

    fileprivate init(_ response: MetadataResponse) {
        clusterID = response.clusterId
        controller = response.controllerId < 0 ? nil : response.controllerId
        brokers = response.brokers.map {
            BrokerDescription(nodeID: $0.nodeId, host: $0.host, port: $0.port, rack: $0.rack, isFenced: false)
        }.sorted { $0.nodeID < $1.nodeID }
    }
}
