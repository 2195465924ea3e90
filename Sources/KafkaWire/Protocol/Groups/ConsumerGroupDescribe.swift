/// Requests descriptions of KIP-848 groups from their coordinator.
package struct ConsumerGroupDescribeRequest: KafkaRequest {
    package typealias Response = ConsumerGroupDescribeResponse
    package static let apiKey = APIKey.consumerGroupDescribe
    package static let versions: ClosedRange<Int16> = 0...1
    package static let firstFlexibleVersion: Int16 = 0

    package var groupIds: [String]
    /// Whether to return the client's permitted operations on each group.
    package var includeAuthorizedOperations: Bool

    package init(groupIds: [String] = [], includeAuthorizedOperations: Bool = false) {
        self.groupIds = groupIds
        self.includeAuthorizedOperations = includeAuthorizedOperations
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        groupIds = reader.array { $0.string() }
        includeAuthorizedOperations = reader.bool()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(groupIds) { $0.string($1) }
        writer.bool(includeAuthorizedOperations)
        writer.tags()
    }
}

/// The groups and their members.
package struct ConsumerGroupDescribeResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var groups: [Group]

    package init(throttleTimeMs: Int32 = 0, groups: [Group] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.groups = groups
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        groups = reader.array { Group(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.array(groups) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension ConsumerGroupDescribeResponse {
    /// A group. GROUP_ID_NOT_FOUND if it doesn't exist, or is of another type.
    package struct Group: WireMessage {
        package var errorCode: Int16
        package var errorMessage: String?
        package var groupId: String
        /// `Empty`, `Assigning`, `Reconciling`, `Stable` or `Dead`.
        package var groupState: String
        /// Increases whenever members, subscriptions or partitions change.
        package var groupEpoch: Int32
        /// The group epoch of the target assignment.
        package var assignmentEpoch: Int32
        /// The coordinator's assignor: `uniform` or `range`.
        package var assignorName: String
        package var members: [Member]
        /// Bit field by the numbers of `AclOperation`; `Int32.min` if not requested.
        package var authorizedOperations: Int32

        package init(
            errorCode: Int16 = 0, errorMessage: String? = nil, groupId: String = "", groupState: String = "",
            groupEpoch: Int32 = 0, assignmentEpoch: Int32 = 0, assignorName: String = "", members: [Member] = [],
            authorizedOperations: Int32 = .min
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.groupId = groupId
            self.groupState = groupState
            self.groupEpoch = groupEpoch
            self.assignmentEpoch = assignmentEpoch
            self.assignorName = assignorName
            self.members = members
            self.authorizedOperations = authorizedOperations
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            errorCode = reader.int16()
            errorMessage = reader.nullableString()
            groupId = reader.string()
            groupState = reader.string()
            groupEpoch = reader.int32()
            assignmentEpoch = reader.int32()
            assignorName = reader.string()
            members = reader.array { Member(from: &$0, version: version) }
            authorizedOperations = reader.int32()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int16(errorCode)
            writer.nullableString(errorMessage)
            writer.string(groupId)
            writer.string(groupState)
            writer.int32(groupEpoch)
            writer.int32(assignmentEpoch)
            writer.string(assignorName)
            writer.array(members) { $1.encode(to: &$0, version: version) }
            writer.int32(authorizedOperations)
            writer.tags()
        }
    }
}

extension ConsumerGroupDescribeResponse {
    /// A member of a group.
    package struct Member: WireMessage {
        package var memberId: String
        /// The static member's instance id (KIP-345); null for a dynamic member.
        package var instanceId: String?
        package var rackId: String?
        /// The group epoch that the member has reached.
        package var memberEpoch: Int32
        package var clientId: String
        package var clientHost: String
        package var subscribedTopicNames: [String]
        /// A regular expression in RE2/J's syntax; null if there is none.
        package var subscribedTopicRegex: String?
        /// The member's current partitions.
        package var assignment: Assignment
        /// The member's partitions after all members have reconciled.
        package var targetAssignment: Assignment
        /// 0 for the classic protocol, 1 for KIP-848, -1 if unknown (KIP-1099). Version 1.
        package var memberType: Int8

        package init(
            memberId: String = "", instanceId: String? = nil, rackId: String? = nil, memberEpoch: Int32 = 0,
            clientId: String = "", clientHost: String = "", subscribedTopicNames: [String] = [],
            subscribedTopicRegex: String? = nil, assignment: Assignment = Assignment(),
            targetAssignment: Assignment = Assignment(), memberType: Int8 = -1
        ) {
            self.memberId = memberId
            self.instanceId = instanceId
            self.rackId = rackId
            self.memberEpoch = memberEpoch
            self.clientId = clientId
            self.clientHost = clientHost
            self.subscribedTopicNames = subscribedTopicNames
            self.subscribedTopicRegex = subscribedTopicRegex
            self.assignment = assignment
            self.targetAssignment = targetAssignment
            self.memberType = memberType
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            memberId = reader.string()
            instanceId = reader.nullableString()
            rackId = reader.nullableString()
            memberEpoch = reader.int32()
            clientId = reader.string()
            clientHost = reader.string()
            subscribedTopicNames = reader.array { $0.string() }
            subscribedTopicRegex = reader.nullableString()
            assignment = Assignment(from: &reader, version: version)
            targetAssignment = Assignment(from: &reader, version: version)
            if version >= 1 { memberType = reader.int8() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(memberId)
            writer.nullableString(instanceId)
            writer.nullableString(rackId)
            writer.int32(memberEpoch)
            writer.string(clientId)
            writer.string(clientHost)
            writer.array(subscribedTopicNames) { $0.string($1) }
            writer.nullableString(subscribedTopicRegex)
            assignment.encode(to: &writer, version: version)
            targetAssignment.encode(to: &writer, version: version)
            if version >= 1 { writer.int8(memberType) }
            writer.tags()
        }
    }
}

extension ConsumerGroupDescribeResponse {
    /// Partitions by topic.
    package struct Assignment: WireMessage {
        package var topicPartitions: [TopicPartitions]

        package init(topicPartitions: [TopicPartitions] = []) {
            self.topicPartitions = topicPartitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            topicPartitions = reader.array { TopicPartitions(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.array(topicPartitions) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension ConsumerGroupDescribeResponse {
    /// A topic and its partitions.
    package struct TopicPartitions: WireMessage {
        package var topicId: KafkaUUID
        package var topicName: String
        package var partitions: [Int32]

        package init(topicId: KafkaUUID = .zero, topicName: String = "", partitions: [Int32] = []) {
            self.topicId = topicId
            self.topicName = topicName
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            topicId = reader.uuid()
            topicName = reader.string()
            partitions = reader.array { $0.int32() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.uuid(topicId)
            writer.string(topicName)
            writer.array(partitions) { $0.int32($1) }
            writer.tags()
        }
    }
}
