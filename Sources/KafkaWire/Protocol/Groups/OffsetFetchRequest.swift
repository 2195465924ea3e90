/// Requests the committed offsets of a group or, from version 8 on, of several `groups`.
package struct OffsetFetchRequest: KafkaRequest {
    package typealias Response = OffsetFetchResponse
    package static let apiKey = APIKey.offsetFetch
    package static let versions: ClosedRange<Int16> = 1...10
    package static let firstFlexibleVersion: Int16 = 6

    /// Versions up to 7.
    package var groupId: String
    /// Null for all topics. Versions up to 7.
    package var topics: [Topic]?
    /// Versions 8 and later.
    package var groups: [Group]
    /// Whether to return UNSTABLE_OFFSET_COMMIT for offsets in an open transaction (KIP-447). Versions 7 and later.
    package var requireStable: Bool

    package init(groupId: String = "", topics: [Topic]? = [], groups: [Group] = [], requireStable: Bool = false) {
        self.groupId = groupId
        self.topics = topics
        self.groups = groups
        self.requireStable = requireStable
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version <= 7 {
            groupId = reader.string()
            topics = reader.nullableArray(isNullable: version >= 2) { Topic(from: &$0, version: version) }
        }
        if version >= 8 { groups = reader.array { Group(from: &$0, version: version) } }
        if version >= 7 { requireStable = reader.bool() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version <= 7 {
            writer.string(groupId)
            writer.nullableArray(topics, isNullable: version >= 2) { $1.encode(to: &$0, version: version) }
        } else {
            writer.omit("groupId", isDefault: groupId.isEmpty)
            writer.omit("topics", isDefault: topics == [])
        }
        if version >= 8 {
            writer.array(groups) { $1.encode(to: &$0, version: version) }
        } else {
            writer.omit("groups", isDefault: groups.isEmpty)
        }
        if version >= 7 {
            writer.bool(requireStable)
        } else {
            writer.omit("requireStable", isDefault: !requireStable)
        }
        writer.tags()
    }
}

extension OffsetFetchRequest {
    /// A topic and its partitions. Versions up to 7.
    package struct Topic: WireMessage {
        package var name: String
        package var partitionIndexes: [Int32]

        package init(name: String = "", partitionIndexes: [Int32] = []) {
            self.name = name
            self.partitionIndexes = partitionIndexes
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            partitionIndexes = reader.array { $0.int32() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.array(partitionIndexes) { $0.int32($1) }
            writer.tags()
        }
    }
}

extension OffsetFetchRequest {
    /// A group, and the topics whose offsets to return. Versions 8 and later.
    package struct Group: WireMessage {
        package var groupId: String
        /// Null if the client isn't a member of the group. Versions 9 and later.
        package var memberId: String?
        /// -1 if the client isn't a member, or if the group is classic (KIP-848). Versions 9 and later.
        package var memberEpoch: Int32
        /// Null for all topics.
        package var topics: [GroupTopic]?

        package init(
            groupId: String = "", memberId: String? = nil, memberEpoch: Int32 = -1, topics: [GroupTopic]? = []
        ) {
            self.groupId = groupId
            self.memberId = memberId
            self.memberEpoch = memberEpoch
            self.topics = topics
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            groupId = reader.string()
            if version >= 9 {
                memberId = reader.nullableString()
                memberEpoch = reader.int32()
            }
            topics = reader.nullableArray { GroupTopic(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(groupId)
            if version >= 9 {
                writer.nullableString(memberId)
                writer.int32(memberEpoch)
            }
            writer.nullableArray(topics) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension OffsetFetchRequest {
    /// A topic and its partitions, identified by name or, from version 10 on, by id.
    package struct GroupTopic: WireMessage {
        /// Versions up to 9.
        package var name: String
        /// Versions 10 and later.
        package var topicId: KafkaUUID
        package var partitionIndexes: [Int32]

        package init(name: String = "", topicId: KafkaUUID = .zero, partitionIndexes: [Int32] = []) {
            self.name = name
            self.topicId = topicId
            self.partitionIndexes = partitionIndexes
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            if version <= 9 { name = reader.string() }
            if version >= 10 { topicId = reader.uuid() }
            partitionIndexes = reader.array { $0.int32() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            if version <= 9 { writer.string(name) }
            if version >= 10 { writer.uuid(topicId) }
            writer.array(partitionIndexes) { $0.int32($1) }
            writer.tags()
        }
    }
}
