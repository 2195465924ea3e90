/// A message between members of a classic consumer group; opaque to the coordinator that passes it on.
///
/// It begins with a two-byte version, and no version is flexible. Readers skip unknown fields at the end, since later
/// versions only add fields.
///
/// Source: `ConsumerProtocolSubscription.json` and `ConsumerProtocolAssignment.json` of Kafka.
package protocol ConsumerProtocolMessage: WireMessage {
    static var versions: ClosedRange<Int16> { get }
}

extension ConsumerProtocolMessage {
    /// Decodes the version and the message.
    package static func decode(_ bytes: ByteSlice) throws(ProtocolError) -> Self {
        var reader = WireReader(bytes, isFlexible: false)
        let version = reader.int16()
        if version < versions.lowerBound { reader.fail("\(version) is not a version of \(Self.self)") }
        let message = Self(from: &reader, version: min(version, versions.upperBound))
        reader.skipRest()
        try reader.finish()
        return message
    }

    /// Encodes the version and the message.
    package func encoded(version: Int16 = versions.upperBound) throws(ProtocolError) -> ByteSlice {
        var writer = WireWriter(isFlexible: false)
        writer.int16(version)
        encode(to: &writer, version: version)
        return ByteSlice(try writer.finish())
    }
}

/// A member's topics and current partitions, for the leader's assignor.
package struct ConsumerProtocolSubscription: ConsumerProtocolMessage {
    package static let versions: ClosedRange<Int16> = 0...3

    package var topics: [String]
    /// Data of the assignor; null for most assignors.
    package var userData: ByteSlice?
    /// The member's current partitions, which it keeps consuming with a cooperative assignor. Versions 1 and later
    /// (KIP-429).
    package var ownedPartitions: [ConsumerProtocolTopicPartition]
    /// The generation that assigned `ownedPartitions`; -1 if none. Versions 2 and later.
    package var generationId: Int32
    /// The member's rack (KIP-881). Versions 3 and later.
    package var rackId: String?

    package init(
        topics: [String] = [], userData: ByteSlice? = nil, ownedPartitions: [ConsumerProtocolTopicPartition] = [],
        generationId: Int32 = -1, rackId: String? = nil
    ) {
        self.topics = topics
        self.userData = userData
        self.ownedPartitions = ownedPartitions
        self.generationId = generationId
        self.rackId = rackId
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        topics = reader.array { $0.string() }
        userData = reader.nullableBytes()
        if version >= 1 {
            ownedPartitions = reader.array { ConsumerProtocolTopicPartition(from: &$0, version: version) }
        }
        if version >= 2 { generationId = reader.int32() }
        if version >= 3 { rackId = reader.nullableString() }
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(topics) { $0.string($1) }
        writer.nullableBytes(userData)
        if version >= 1 { writer.array(ownedPartitions) { $1.encode(to: &$0, version: version) } }
        if version >= 2 { writer.int32(generationId) }
        if version >= 3 { writer.nullableString(rackId) }
    }
}

/// A member's assigned partitions.
package struct ConsumerProtocolAssignment: ConsumerProtocolMessage {
    package static let versions: ClosedRange<Int16> = 0...3

    package var assignedPartitions: [ConsumerProtocolTopicPartition]
    /// Data of the assignor; null for most assignors.
    package var userData: ByteSlice?

    package init(assignedPartitions: [ConsumerProtocolTopicPartition] = [], userData: ByteSlice? = nil) {
        self.assignedPartitions = assignedPartitions
        self.userData = userData
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        assignedPartitions = reader.array { ConsumerProtocolTopicPartition(from: &$0, version: version) }
        userData = reader.nullableBytes()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(assignedPartitions) { $1.encode(to: &$0, version: version) }
        writer.nullableBytes(userData)
    }
}

/// A topic and its partitions.
package struct ConsumerProtocolTopicPartition: WireMessage {
    package var topic: String
    package var partitions: [Int32]

    package init(topic: String = "", partitions: [Int32] = []) {
        self.topic = topic
        self.partitions = partitions
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        topic = reader.string()
        partitions = reader.array { $0.int32() }
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.string(topic)
        writer.array(partitions) { $0.int32($1) }
    }
}

extension [ConsumerProtocolTopicPartition] {
    /// Groups partitions by topic, as the protocol encodes them.
    init(_ partitions: some Collection<TopicPartition>) {
        self = Dictionary(grouping: partitions, by: \.topic).sorted { $0.key < $1.key }.map { topic, partitions in
            ConsumerProtocolTopicPartition(topic: topic, partitions: partitions.map(\.partition).sorted())
        }
    }

    var topicPartitions: [TopicPartition] {
        flatMap { topic in topic.partitions.map { TopicPartition(topic: topic.topic, partition: $0) } }
    }
}
