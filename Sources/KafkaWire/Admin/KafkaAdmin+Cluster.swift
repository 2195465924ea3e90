/// A cluster and its brokers.
public struct ClusterDescription: Sendable, Hashable {
    /// The cluster's id; nil if the broker does not report it (before Kafka 0.10.1).
    public let clusterID: String?
    /// The node id of the controller; with KRaft, of a broker that forwards requests to it. nil if there is none at the
    /// moment.
    public let controllerID: Int32?
    /// The brokers, by node id.
    public let brokers: [BrokerDescription]

    /// Creates a value, for example in a test.
    public init(
        clusterID: String?, controllerID: Int32?, brokers: [BrokerDescription]
    ) {
        self.clusterID = clusterID
        self.controllerID = controllerID
        self.brokers = brokers
    }
}

/// A broker of a cluster.
public struct BrokerDescription: Sendable, Hashable {
    /// The broker's `node.id`, which a partition's `leader` and `replicas` refer to.
    public let nodeID: Int32
    /// The host name of the listener that the client uses (`advertised.listeners`).
    public let host: String
    /// The port of the same listener.
    public let port: Int32
    /// `broker.rack`; nil if it is not set.
    public let rack: String?
    /// Whether the controller has fenced the broker, since its heartbeats are missing (KIP-1073).
    public let isFenced: Bool

    /// Creates a value, for example in a test.
    public init(
        nodeID: Int32, host: String, port: Int32, rack: String? = nil, isFenced: Bool = false
    ) {
        self.nodeID = nodeID
        self.host = host
        self.port = port
        self.rack = rack
        self.isFenced = isFenced
    }
}

extension KafkaAdmin {
    /// Returns the cluster's id, controller and brokers (KIP-700); before Kafka 2.8 from its metadata.
    ///
    /// - Parameter includingFenced: Whether to include fenced brokers, which Kafka 4.0 and later can report.
    /// - Throws: CLUSTER_AUTHORIZATION_FAILED or another error of the broker; `CancellationError`.
    public nonisolated(nonsending) func describeCluster(includingFenced: Bool = false) async throws
        -> ClusterDescription
    {
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
                response.errorCode, response.errorMessage, else: "the cluster cannot be described",
                success: ClusterDescription(response)
            ).get()
        }
    }
}

extension ClusterDescription {
    fileprivate init(_ response: DescribeClusterResponse) {
        clusterID = response.clusterId
        controllerID = response.controllerId < 0 ? nil : response.controllerId
        brokers = response.brokers.map {
            BrokerDescription(nodeID: $0.brokerId, host: $0.host, port: $0.port, rack: $0.rack, isFenced: $0.isFenced)
        }.sorted { $0.nodeID < $1.nodeID }
    }

    fileprivate init(_ response: MetadataResponse) {
        clusterID = response.clusterId
        controllerID = response.controllerId < 0 ? nil : response.controllerId
        brokers = response.brokers.map {
            BrokerDescription(nodeID: $0.nodeId, host: $0.host, port: $0.port, rack: $0.rack, isFenced: false)
        }.sorted { $0.nodeID < $1.nodeID }
    }
}
