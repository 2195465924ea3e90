/// Creates topics. The controller executes it; other brokers forward it.
package struct CreateTopicsRequest: KafkaRequest {
    package typealias Response = CreateTopicsResponse
    package static let apiKey = APIKey.createTopics
    package static let versions: ClosedRange<Int16> = 2...7
    package static let firstFlexibleVersion: Int16 = 5

    package var topics: [CreatableTopic]
    /// How long to wait for the creation, in milliseconds.
    package var timeoutMs: Int32
    /// Whether to validate the request without executing it.
    package var validateOnly: Bool

    package init(topics: [CreatableTopic] = [], timeoutMs: Int32 = 60000, validateOnly: Bool = false) {
        self.topics = topics
        self.timeoutMs = timeoutMs
        self.validateOnly = validateOnly
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        topics = reader.array { CreatableTopic(from: &$0, version: version) }
        timeoutMs = reader.int32()
        validateOnly = reader.bool()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.int32(timeoutMs)
        writer.bool(validateOnly)
        writer.tags()
    }
}

extension CreateTopicsRequest {
    /// A topic to create.
    package struct CreatableTopic: WireMessage {
        package var name: String
        /// -1 for the broker's default (version 4), or if `assignments` is set.
        package var numPartitions: Int32
        /// -1 for the broker's default (version 4), or if `assignments` is set.
        package var replicationFactor: Int16
        /// Empty to let the controller place the replicas.
        package var assignments: [CreatableReplicaAssignment]
        package var configs: [CreatableTopicConfig]

        package init(
            name: String = "", numPartitions: Int32 = 0, replicationFactor: Int16 = 0,
            assignments: [CreatableReplicaAssignment] = [], configs: [CreatableTopicConfig] = []
        ) {
            self.name = name
            self.numPartitions = numPartitions
            self.replicationFactor = replicationFactor
            self.assignments = assignments
            self.configs = configs
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            numPartitions = reader.int32()
            replicationFactor = reader.int16()
            assignments = reader.array { CreatableReplicaAssignment(from: &$0, version: version) }
            configs = reader.array { CreatableTopicConfig(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.int32(numPartitions)
            writer.int16(replicationFactor)
            writer.array(assignments) { $1.encode(to: &$0, version: version) }
            writer.array(configs) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension CreateTopicsRequest {
    /// The brokers for a partition's replicas.
    package struct CreatableReplicaAssignment: WireMessage {
        package var partitionIndex: Int32
        /// The node ids of the partition's replicas.
        package var brokerIds: [Int32]

        package init(partitionIndex: Int32 = 0, brokerIds: [Int32] = []) {
            self.partitionIndex = partitionIndex
            self.brokerIds = brokerIds
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            brokerIds = reader.array { $0.int32() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.array(brokerIds) { $0.int32($1) }
            writer.tags()
        }
    }
}

extension CreateTopicsRequest {
    /// A setting of the topic. Other settings have the broker's defaults.
    package struct CreatableTopicConfig: WireMessage {
        package var name: String
        package var value: String?

        package init(name: String = "", value: String? = "") {
            self.name = name
            self.value = value
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            value = reader.nullableString()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.nullableString(value)
            writer.tags()
        }
    }
}
