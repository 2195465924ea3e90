/// Requests the cluster's brokers, and topics with their partitions and leaders.
package struct MetadataRequest: KafkaRequest {
    package typealias Response = MetadataResponse
    package static let apiKey = APIKey.metadata
    package static let versions: ClosedRange<Int16> = 0...13
    package static let firstFlexibleVersion: Int16 = 9

    /// The topics to describe; null for all topics. Version 0 requests all topics by an empty list.
    package var topics: [Topic]?
    /// Whether the broker may create missing topics, if its configuration permits that. Versions 4 and later.
    package var allowAutoTopicCreation: Bool
    /// Versions 8 to 10.
    package var includeClusterAuthorizedOperations: Bool
    /// Versions 8 and later.
    package var includeTopicAuthorizedOperations: Bool

    package init(
        topics: [Topic]? = [], allowAutoTopicCreation: Bool = true, includeClusterAuthorizedOperations: Bool = false,
        includeTopicAuthorizedOperations: Bool = false
    ) {
        self.topics = topics
        self.allowAutoTopicCreation = allowAutoTopicCreation
        self.includeClusterAuthorizedOperations = includeClusterAuthorizedOperations
        self.includeTopicAuthorizedOperations = includeTopicAuthorizedOperations
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        topics = reader.nullableArray(isNullable: version >= 1) { Topic(from: &$0, version: version) }
        if version >= 4 { allowAutoTopicCreation = reader.bool() }
        if version >= 8 && version <= 10 { includeClusterAuthorizedOperations = reader.bool() }
        if version >= 8 { includeTopicAuthorizedOperations = reader.bool() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.nullableArray(topics, isNullable: version >= 1) { $1.encode(to: &$0, version: version) }
        if version >= 4 {
            writer.bool(allowAutoTopicCreation)
        } else {
            writer.omit("allowAutoTopicCreation", isDefault: allowAutoTopicCreation)
        }
        if version >= 8 && version <= 10 {
            writer.bool(includeClusterAuthorizedOperations)
        } else {
            writer.omit("includeClusterAuthorizedOperations", isDefault: !includeClusterAuthorizedOperations)
        }
        if version >= 8 {
            writer.bool(includeTopicAuthorizedOperations)
        } else {
            writer.omit("includeTopicAuthorizedOperations", isDefault: !includeTopicAuthorizedOperations)
        }
        writer.tags()
    }
}

extension MetadataRequest {
    /// A topic, identified by name or, from version 10 on, by id.
    package struct Topic: WireMessage {
        /// Versions 10 and later.
        package var topicId: KafkaUUID
        /// Null if `topicId` identifies the topic. This requires version 10; brokers support it from version 12 on.
        package var name: String?

        package init(topicId: KafkaUUID = .zero, name: String? = "") {
            self.topicId = topicId
            self.name = name
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            if version >= 10 { topicId = reader.uuid() }
            name = reader.nullableString(isNullable: version >= 10)
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            if version >= 10 { writer.uuid(topicId) }
            writer.nullableString(name, isNullable: version >= 10)
            writer.tags()
        }
    }
}

/// The cluster's brokers, and the requested topics.
package struct MetadataResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds. Versions 3 and later.
    package var throttleTimeMs: Int32
    package var brokers: [Broker]
    /// Versions 2 and later.
    package var clusterId: String?
    /// The controller's node id; -1 if unknown. With KRaft it is the node id of any broker. Versions 1 and later.
    package var controllerId: Int32
    package var topics: [Topic]
    /// The client's permitted operations on the cluster (KIP-430): a bit field by the numbers of `AclOperation`;
    /// `Int32.min` if not requested. Versions 8 to 10.
    package var clusterAuthorizedOperations: Int32
    /// An error of the whole request. Versions 13 and later.
    package var errorCode: Int16

    package init(
        throttleTimeMs: Int32 = 0, brokers: [Broker] = [], clusterId: String? = nil, controllerId: Int32 = -1,
        topics: [Topic] = [], clusterAuthorizedOperations: Int32 = .min, errorCode: Int16 = 0
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.brokers = brokers
        self.clusterId = clusterId
        self.controllerId = controllerId
        self.topics = topics
        self.clusterAuthorizedOperations = clusterAuthorizedOperations
        self.errorCode = errorCode
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 3 { throttleTimeMs = reader.int32() }
        brokers = reader.array { Broker(from: &$0, version: version) }
        if version >= 2 { clusterId = reader.nullableString() }
        if version >= 1 { controllerId = reader.int32() }
        topics = reader.array { Topic(from: &$0, version: version) }
        if version >= 8 && version <= 10 { clusterAuthorizedOperations = reader.int32() }
        if version >= 13 { errorCode = reader.int16() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 3 { writer.int32(throttleTimeMs) }
        writer.array(brokers) { $1.encode(to: &$0, version: version) }
        if version >= 2 { writer.nullableString(clusterId) }
        if version >= 1 { writer.int32(controllerId) }
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        if version >= 8 && version <= 10 {
            writer.int32(clusterAuthorizedOperations)
        } else {
            writer.omit("clusterAuthorizedOperations", isDefault: clusterAuthorizedOperations == .min)
        }
        if version >= 13 { writer.int16(errorCode) }
        writer.tags()
    }
}

extension MetadataResponse {
    /// A broker and its address for clients.
    package struct Broker: WireMessage {
        package var nodeId: Int32
        package var host: String
        package var port: Int32
        /// The broker's rack; null if it has none. Versions 1 and later.
        package var rack: String?

        package init(nodeId: Int32 = 0, host: String = "", port: Int32 = 0, rack: String? = nil) {
            self.nodeId = nodeId
            self.host = host
            self.port = port
            self.rack = rack
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            nodeId = reader.int32()
            host = reader.string()
            port = reader.int32()
            if version >= 1 { rack = reader.nullableString() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(nodeId)
            writer.string(host)
            writer.int32(port)
            if version >= 1 { writer.nullableString(rack) }
            writer.tags()
        }
    }
}

extension MetadataResponse {
    /// A topic, or an error.
    package struct Topic: WireMessage {
        package var errorCode: Int16
        /// Null only for an unknown topic that was requested by id.
        package var name: String?
        /// Zero for an unknown topic that was requested by name. Versions 10 and later.
        package var topicId: KafkaUUID
        /// Versions 1 and later.
        package var isInternal: Bool
        package var partitions: [Partition]
        /// The client's permitted operations on the topic (KIP-430): a bit field by the numbers of `AclOperation`;
        /// `Int32.min` if not requested. Versions 8 and later.
        package var topicAuthorizedOperations: Int32

        package init(
            errorCode: Int16 = 0, name: String? = "", topicId: KafkaUUID = .zero, isInternal: Bool = false,
            partitions: [Partition] = [], topicAuthorizedOperations: Int32 = .min
        ) {
            self.errorCode = errorCode
            self.name = name
            self.topicId = topicId
            self.isInternal = isInternal
            self.partitions = partitions
            self.topicAuthorizedOperations = topicAuthorizedOperations
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            errorCode = reader.int16()
            name = reader.nullableString(isNullable: version >= 12)
            if version >= 10 { topicId = reader.uuid() }
            if version >= 1 { isInternal = reader.bool() }
            partitions = reader.array { Partition(from: &$0, version: version) }
            if version >= 8 { topicAuthorizedOperations = reader.int32() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int16(errorCode)
            writer.nullableString(name, isNullable: version >= 12)
            if version >= 10 { writer.uuid(topicId) }
            if version >= 1 { writer.bool(isInternal) }
            writer.array(partitions) { $1.encode(to: &$0, version: version) }
            if version >= 8 {
                writer.int32(topicAuthorizedOperations)
            } else {
                writer.omit("topicAuthorizedOperations", isDefault: topicAuthorizedOperations == .min)
            }
            writer.tags()
        }
    }
}

extension MetadataResponse {
    /// A partition, its leader and its replicas.
    package struct Partition: WireMessage {
        package var errorCode: Int16
        package var partitionIndex: Int32
        /// The leader's node id; -1 if there is no leader.
        package var leaderId: Int32
        /// The leader epoch; -1 if unknown (KIP-320). Versions 7 and later.
        package var leaderEpoch: Int32
        /// The node ids of all replicas, the preferred leader first.
        package var replicaNodes: [Int32]
        /// The node ids of the in-sync replicas.
        package var isrNodes: [Int32]
        /// The node ids of the offline replicas. Versions 5 and later.
        package var offlineReplicas: [Int32]

        package init(
            errorCode: Int16 = 0, partitionIndex: Int32 = 0, leaderId: Int32 = 0, leaderEpoch: Int32 = -1,
            replicaNodes: [Int32] = [], isrNodes: [Int32] = [], offlineReplicas: [Int32] = []
        ) {
            self.errorCode = errorCode
            self.partitionIndex = partitionIndex
            self.leaderId = leaderId
            self.leaderEpoch = leaderEpoch
            self.replicaNodes = replicaNodes
            self.isrNodes = isrNodes
            self.offlineReplicas = offlineReplicas
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            errorCode = reader.int16()
            partitionIndex = reader.int32()
            leaderId = reader.int32()
            if version >= 7 { leaderEpoch = reader.int32() }
            replicaNodes = reader.array { $0.int32() }
            isrNodes = reader.array { $0.int32() }
            if version >= 5 { offlineReplicas = reader.array { $0.int32() } }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int16(errorCode)
            writer.int32(partitionIndex)
            writer.int32(leaderId)
            if version >= 7 { writer.int32(leaderEpoch) }
            writer.array(replicaNodes) { $0.int32($1) }
            writer.array(isrNodes) { $0.int32($1) }
            if version >= 5 { writer.array(offlineReplicas) { $0.int32($1) } }
            writer.tags()
        }
    }
}
