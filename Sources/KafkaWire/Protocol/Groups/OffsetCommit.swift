/// Commits a group's offsets. Sent to its coordinator.
package struct OffsetCommitRequest: KafkaRequest {
    package typealias Response = OffsetCommitResponse
    package static let apiKey = APIKey.offsetCommit
    package static let versions: ClosedRange<Int16> = 2...10
    package static let firstFlexibleVersion: Int16 = 8

    package var groupId: String
    /// -1 if the client isn't a member of the group.
    package var generationIdOrMemberEpoch: Int32
    /// Empty if the client isn't a member of the group.
    package var memberId: String
    /// The static member's instance id (KIP-345); null for a dynamic member. Versions 7 and later.
    package var groupInstanceId: String?
    /// The retention time in milliseconds; -1 for the broker's setting. Versions up to 4.
    package var retentionTimeMs: Int64
    package var topics: [Topic]

    package init(
        groupId: String = "", generationIdOrMemberEpoch: Int32 = -1, memberId: String = "",
        groupInstanceId: String? = nil, retentionTimeMs: Int64 = -1, topics: [Topic] = []
    ) {
        self.groupId = groupId
        self.generationIdOrMemberEpoch = generationIdOrMemberEpoch
        self.memberId = memberId
        self.groupInstanceId = groupInstanceId
        self.retentionTimeMs = retentionTimeMs
        self.topics = topics
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        groupId = reader.string()
        generationIdOrMemberEpoch = reader.int32()
        memberId = reader.string()
        if version >= 7 { groupInstanceId = reader.nullableString() }
        if version <= 4 { retentionTimeMs = reader.int64() }
        topics = reader.array { Topic(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.string(groupId)
        writer.int32(generationIdOrMemberEpoch)
        writer.string(memberId)
        if version >= 7 {
            writer.nullableString(groupInstanceId)
        } else {
            writer.omit("groupInstanceId", isDefault: groupInstanceId == nil)
        }
        if version <= 4 { writer.int64(retentionTimeMs) }
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension OffsetCommitRequest {
    /// A topic, identified by name or, from version 10 on, by id.
    package struct Topic: WireMessage {
        /// Versions up to 9.
        package var name: String
        /// Versions 10 and later.
        package var topicId: KafkaUUID
        package var partitions: [Partition]

        package init(name: String = "", topicId: KafkaUUID = .zero, partitions: [Partition] = []) {
            self.name = name
            self.topicId = topicId
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            if version <= 9 { name = reader.string() }
            if version >= 10 { topicId = reader.uuid() }
            partitions = reader.array { Partition(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            if version <= 9 { writer.string(name) }
            if version >= 10 { writer.uuid(topicId) }
            writer.array(partitions) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension OffsetCommitRequest {
    /// A partition, and the offset to commit for it.
    package struct Partition: WireMessage {
        package var partitionIndex: Int32
        /// The next offset to consume.
        package var committedOffset: Int64
        /// The last consumed record's leader epoch; -1 if unknown. Versions 6 and later.
        package var committedLeaderEpoch: Int32
        package var committedMetadata: String?

        package init(
            partitionIndex: Int32 = 0, committedOffset: Int64 = 0, committedLeaderEpoch: Int32 = -1,
            committedMetadata: String? = ""
        ) {
            self.partitionIndex = partitionIndex
            self.committedOffset = committedOffset
            self.committedLeaderEpoch = committedLeaderEpoch
            self.committedMetadata = committedMetadata
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            committedOffset = reader.int64()
            if version >= 6 { committedLeaderEpoch = reader.int32() }
            committedMetadata = reader.nullableString()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.int64(committedOffset)
            if version >= 6 { writer.int32(committedLeaderEpoch) }
            writer.nullableString(committedMetadata)
            writer.tags()
        }
    }
}

/// The result for each partition.
package struct OffsetCommitResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds. Versions 3 and later.
    package var throttleTimeMs: Int32
    package var topics: [Topic]

    package init(throttleTimeMs: Int32 = 0, topics: [Topic] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 3 { throttleTimeMs = reader.int32() }
        topics = reader.array { Topic(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 3 { writer.int32(throttleTimeMs) }
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension OffsetCommitResponse {
    /// A topic, identified by name or, from version 10 on, by id.
    package struct Topic: WireMessage {
        /// Versions up to 9.
        package var name: String
        /// Versions 10 and later.
        package var topicId: KafkaUUID
        package var partitions: [Partition]

        package init(name: String = "", topicId: KafkaUUID = .zero, partitions: [Partition] = []) {
            self.name = name
            self.topicId = topicId
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            if version <= 9 { name = reader.string() }
            if version >= 10 { topicId = reader.uuid() }
            partitions = reader.array { Partition(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            if version <= 9 { writer.string(name) }
            if version >= 10 { writer.uuid(topicId) }
            writer.array(partitions) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension OffsetCommitResponse {
    /// The result for one partition.
    package struct Partition: WireMessage {
        package var partitionIndex: Int32
        package var errorCode: Int16

        package init(partitionIndex: Int32 = 0, errorCode: Int16 = 0) {
            self.partitionIndex = partitionIndex
            self.errorCode = errorCode
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            errorCode = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.int16(errorCode)
            writer.tags()
        }
    }
}
