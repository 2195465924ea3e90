/// Asks for the brokers of the cluster and for the partitions of topics and their leaders.
package struct MetadataRequest: KafkaRequest {
    package typealias Response = MetadataResponse
    package static let apiKey = APIKey.metadata
    package static let versions: ClosedRange<Int16> = 0...13
    package static let firstFlexibleVersion: Int16 = 9

    /// Null for all topics; in version 0 an empty list asks for all.
    package var topics: [Topic]?
    /// Whether the broker may create a topic that doesn't exist, where it is configured to. Versions 4 and
    /// later.
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
    /// A topic by its name or, from version 10 on, by its id.
    package struct Topic: WireMessage {
        /// Versions 10 and later.
        package var topicId: KafkaUUID
        /// Null where the id names the topic, which needs version 10 (and, to be answered, 12).
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

/// The brokers of the cluster, and the topics that were asked for.
package struct MetadataResponse: WireMessage {
    /// How long a quota held the request back, in milliseconds. Versions 3 and later.
    package var throttleTimeMs: Int32
    package var brokers: [Broker]
    /// Versions 2 and later.
    package var clusterId: String?
    /// Node id of the controller, -1 if unknown. With KRaft, any broker's. Versions 1 and later.
    package var controllerId: Int32
    package var topics: [Topic]
    /// Bit field of what the client may do with the cluster (KIP-430); the smallest number if not asked for.
    /// Versions 8 to 10.
    package var clusterAuthorizedOperations: Int32
    /// An error of the request as a whole. Versions 13 and later.
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
    /// A broker, as clients reach it.
    package struct Broker: WireMessage {
        package var nodeId: Int32
        package var host: String
        package var port: Int32
        /// Null for a broker without a rack. Versions 1 and later.
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
    /// A topic, or why there is nothing to say of it.
    package struct Topic: WireMessage {
        package var errorCode: Int16
        /// Null only for an unknown topic that was asked for by its id.
        package var name: String?
        /// Zero for an unknown topic that was asked for by its name. Versions 10 and later.
        package var topicId: KafkaUUID
        /// Versions 1 and later.
        package var isInternal: Bool
        package var partitions: [Partition]
        /// Bit field of what the client may do with the topic (KIP-430); the smallest number if not asked for.
        /// Versions 8 and later.
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
        /// Node id, or -1 if there is no leader.
        package var leaderId: Int32
        /// -1 if unknown (KIP-320). Versions 7 and later.
        package var leaderEpoch: Int32
        /// Node ids of all replicas; the first one is the preferred leader.
        package var replicaNodes: [Int32]
        /// Node ids of the replicas in sync.
        package var isrNodes: [Int32]
        /// Node ids of the replicas that aren't alive. Versions 5 and later.
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
