/// The committed offsets; from version 8 on in `groups`.
package struct OffsetFetchResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds. Versions 3 and later.
    package var throttleTimeMs: Int32
    /// Versions up to 7.
    package var topics: [Topic]
    /// An error of the whole group. Versions 2 to 7.
    package var errorCode: Int16
    /// Versions 8 and later.
    package var groups: [Group]

    package init(throttleTimeMs: Int32 = 0, topics: [Topic] = [], errorCode: Int16 = 0, groups: [Group] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
        self.errorCode = errorCode
        self.groups = groups
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 3 { throttleTimeMs = reader.int32() }
        if version <= 7 { topics = reader.array { Topic(from: &$0, version: version) } }
        if version >= 2 && version <= 7 { errorCode = reader.int16() }
        if version >= 8 { groups = reader.array { Group(from: &$0, version: version) } }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 3 { writer.int32(throttleTimeMs) }
        if version <= 7 {
            writer.array(topics) { $1.encode(to: &$0, version: version) }
        } else {
            writer.omit("topics", isDefault: topics.isEmpty)
        }
        if version >= 2 && version <= 7 { writer.int16(errorCode) }
        if version >= 8 {
            writer.array(groups) { $1.encode(to: &$0, version: version) }
        } else {
            writer.omit("groups", isDefault: groups.isEmpty)
        }
        writer.tags()
    }
}

extension OffsetFetchResponse {
    /// A topic's committed offsets. Versions up to 7.
    package struct Topic: WireMessage {
        package var name: String
        package var partitions: [Partition]

        package init(name: String = "", partitions: [Partition] = []) {
            self.name = name
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            partitions = reader.array { Partition(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.array(partitions) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension OffsetFetchResponse {
    /// A partition's committed offset. Versions up to 7.
    package struct Partition: WireMessage {
        package var partitionIndex: Int32
        /// The next offset to consume; -1 if none was committed.
        package var committedOffset: Int64
        /// The last consumed record's leader epoch; -1 if unknown. Versions 5 and later.
        package var committedLeaderEpoch: Int32
        package var metadata: String?
        package var errorCode: Int16

        package init(
            partitionIndex: Int32 = 0, committedOffset: Int64 = 0, committedLeaderEpoch: Int32 = -1,
            metadata: String? = "", errorCode: Int16 = 0
        ) {
            self.partitionIndex = partitionIndex
            self.committedOffset = committedOffset
            self.committedLeaderEpoch = committedLeaderEpoch
            self.metadata = metadata
            self.errorCode = errorCode
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            committedOffset = reader.int64()
            if version >= 5 { committedLeaderEpoch = reader.int32() }
            metadata = reader.nullableString()
            errorCode = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.int64(committedOffset)
            if version >= 5 { writer.int32(committedLeaderEpoch) }
            writer.nullableString(metadata)
            writer.int16(errorCode)
            writer.tags()
        }
    }
}

extension OffsetFetchResponse {
    /// A group's committed offsets. Versions 8 and later.
    package struct Group: WireMessage {
        package var groupId: String
        package var topics: [GroupTopic]
        /// An error of the whole group.
        package var errorCode: Int16

        package init(groupId: String = "", topics: [GroupTopic] = [], errorCode: Int16 = 0) {
            self.groupId = groupId
            self.topics = topics
            self.errorCode = errorCode
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            groupId = reader.string()
            topics = reader.array { GroupTopic(from: &$0, version: version) }
            errorCode = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(groupId)
            writer.array(topics) { $1.encode(to: &$0, version: version) }
            writer.int16(errorCode)
            writer.tags()
        }
    }
}

extension OffsetFetchResponse {
    /// A topic, identified by name or, from version 10 on, by id.
    package struct GroupTopic: WireMessage {
        /// Versions up to 9.
        package var name: String
        /// Versions 10 and later.
        package var topicId: KafkaUUID
        package var partitions: [GroupPartition]

        package init(name: String = "", topicId: KafkaUUID = .zero, partitions: [GroupPartition] = []) {
            self.name = name
            self.topicId = topicId
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            if version <= 9 { name = reader.string() }
            if version >= 10 { topicId = reader.uuid() }
            partitions = reader.array { GroupPartition(from: &$0, version: version) }
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

extension OffsetFetchResponse {
    /// A partition's committed offset. Versions 8 and later.
    package struct GroupPartition: WireMessage {
        package var partitionIndex: Int32
        /// The next offset to consume; -1 if none was committed.
        package var committedOffset: Int64
        /// The last consumed record's leader epoch; -1 if unknown.
        package var committedLeaderEpoch: Int32
        package var metadata: String?
        package var errorCode: Int16

        package init(
            partitionIndex: Int32 = 0, committedOffset: Int64 = 0, committedLeaderEpoch: Int32 = -1,
            metadata: String? = "", errorCode: Int16 = 0
        ) {
            self.partitionIndex = partitionIndex
            self.committedOffset = committedOffset
            self.committedLeaderEpoch = committedLeaderEpoch
            self.metadata = metadata
            self.errorCode = errorCode
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            committedOffset = reader.int64()
            committedLeaderEpoch = reader.int32()
            metadata = reader.nullableString()
            errorCode = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.int64(committedOffset)
            writer.int32(committedLeaderEpoch)
            writer.nullableString(metadata)
            writer.int16(errorCode)
            writer.tags()
        }
    }
}
