/// Joins, stays in and leaves a group whose coordinator assigns the partitions (KIP-848).
///
/// Fields that haven't changed since the last heartbeat are null (or -1).
package struct ConsumerGroupHeartbeatRequest: KafkaRequest {
    package typealias Response = ConsumerGroupHeartbeatResponse
    package static let apiKey = APIKey.consumerGroupHeartbeat
    package static let versions: ClosedRange<Int16> = 0...1
    package static let firstFlexibleVersion: Int16 = 0

    package var groupId: String
    /// From version 1 on, the member generates its id and never changes it (KIP-1082). In version 0 the coordinator
    /// assigns it, and it is empty before.
    package var memberId: String
    /// 0 to join, -1 to leave, -2 for a static member that leaves temporarily.
    package var memberEpoch: Int32
    package var instanceId: String?
    package var rackId: String?
    /// How long the coordinator waits for the member to revoke partitions, in milliseconds.
    package var rebalanceTimeoutMs: Int32
    package var subscribedTopicNames: [String]?
    /// A regular expression in RE2/J's syntax; empty to remove it. Versions 1 and later.
    package var subscribedTopicRegex: String?
    /// The broker's assignor: `uniform`, `range` or a custom one.
    package var serverAssignor: String?
    /// The member's current partitions.
    package var topicPartitions: [ConsumerGroupHeartbeatTopicPartitions]?

    package init(
        groupId: String = "", memberId: String = "", memberEpoch: Int32 = 0, instanceId: String? = nil,
        rackId: String? = nil, rebalanceTimeoutMs: Int32 = -1, subscribedTopicNames: [String]? = nil,
        subscribedTopicRegex: String? = nil, serverAssignor: String? = nil,
        topicPartitions: [ConsumerGroupHeartbeatTopicPartitions]? = nil
    ) {
        self.groupId = groupId
        self.memberId = memberId
        self.memberEpoch = memberEpoch
        self.instanceId = instanceId
        self.rackId = rackId
        self.rebalanceTimeoutMs = rebalanceTimeoutMs
        self.subscribedTopicNames = subscribedTopicNames
        self.subscribedTopicRegex = subscribedTopicRegex
        self.serverAssignor = serverAssignor
        self.topicPartitions = topicPartitions
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        groupId = reader.string()
        memberId = reader.string()
        memberEpoch = reader.int32()
        instanceId = reader.nullableString()
        rackId = reader.nullableString()
        rebalanceTimeoutMs = reader.int32()
        subscribedTopicNames = reader.nullableArray { $0.string() }
        if version >= 1 { subscribedTopicRegex = reader.nullableString() }
        serverAssignor = reader.nullableString()
        topicPartitions = reader.nullableArray { ConsumerGroupHeartbeatTopicPartitions(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.string(groupId)
        writer.string(memberId)
        writer.int32(memberEpoch)
        writer.nullableString(instanceId)
        writer.nullableString(rackId)
        writer.int32(rebalanceTimeoutMs)
        writer.nullableArray(subscribedTopicNames) { $0.string($1) }
        if version >= 1 {
            writer.nullableString(subscribedTopicRegex)
        } else {
            writer.omit("subscribedTopicRegex", isDefault: subscribedTopicRegex == nil)
        }
        writer.nullableString(serverAssignor)
        writer.nullableArray(topicPartitions) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

/// A topic and its partitions, in a heartbeat and its response.
package struct ConsumerGroupHeartbeatTopicPartitions: WireMessage {
    package var topicId: KafkaUUID
    package var partitions: [Int32]

    package init(topicId: KafkaUUID = .zero, partitions: [Int32] = []) {
        self.topicId = topicId
        self.partitions = partitions
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        topicId = reader.uuid()
        partitions = reader.array { $0.int32() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.uuid(topicId)
        writer.array(partitions) { $0.int32($1) }
        writer.tags()
    }
}

/// The member's epoch, and its assignment if that has changed.
package struct ConsumerGroupHeartbeatResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var errorCode: Int16
    package var errorMessage: String?
    /// The member id that the coordinator assigned (version 0).
    package var memberId: String?
    package var memberEpoch: Int32
    package var heartbeatIntervalMs: Int32
    /// Null if unchanged.
    package var assignment: Assignment?

    package init(
        throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, errorMessage: String? = nil, memberId: String? = nil,
        memberEpoch: Int32 = 0, heartbeatIntervalMs: Int32 = 0, assignment: Assignment? = nil
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.memberId = memberId
        self.memberEpoch = memberEpoch
        self.heartbeatIntervalMs = heartbeatIntervalMs
        self.assignment = assignment
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        errorCode = reader.int16()
        errorMessage = reader.nullableString()
        memberId = reader.nullableString()
        memberEpoch = reader.int32()
        heartbeatIntervalMs = reader.int32()
        // A nullable structure begins with a byte that is negative for null.
        if reader.int8() >= 0 { assignment = Assignment(from: &reader, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.int16(errorCode)
        writer.nullableString(errorMessage)
        writer.nullableString(memberId)
        writer.int32(memberEpoch)
        writer.int32(heartbeatIntervalMs)
        writer.int8(assignment == nil ? -1 : 1)
        assignment?.encode(to: &writer, version: version)
        writer.tags()
    }
}

extension ConsumerGroupHeartbeatResponse {
    /// All partitions that the member may consume now.
    package struct Assignment: WireMessage {
        package var topicPartitions: [ConsumerGroupHeartbeatTopicPartitions]

        package init(topicPartitions: [ConsumerGroupHeartbeatTopicPartitions] = []) {
            self.topicPartitions = topicPartitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            topicPartitions = reader.array { ConsumerGroupHeartbeatTopicPartitions(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.array(topicPartitions) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}
