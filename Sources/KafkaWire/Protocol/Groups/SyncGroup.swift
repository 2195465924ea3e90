/// Requests the member's assignment in a generation. The leader's request has the assignments of all members.
package struct SyncGroupRequest: KafkaRequest {
    package typealias Response = SyncGroupResponse
    package static let apiKey = APIKey.syncGroup
    package static let versions: ClosedRange<Int16> = 0...5
    package static let firstFlexibleVersion: Int16 = 4

    package var groupId: String
    package var generationId: Int32
    package var memberId: String
    /// The static member's instance id (KIP-345); null for a dynamic member. Versions 3 and later.
    package var groupInstanceId: String?
    /// The coordinator compares it with the group's (KIP-559). Versions 5 and later.
    package var protocolType: String?
    /// The coordinator compares it with the generation's (KIP-559). Versions 5 and later.
    package var protocolName: String?
    /// The assignments of all members, from the leader; empty from other members.
    package var assignments: [SyncGroupRequestAssignment]

    package init(
        groupId: String = "", generationId: Int32 = 0, memberId: String = "", groupInstanceId: String? = nil,
        protocolType: String? = nil, protocolName: String? = nil, assignments: [SyncGroupRequestAssignment] = []
    ) {
        self.groupId = groupId
        self.generationId = generationId
        self.memberId = memberId
        self.groupInstanceId = groupInstanceId
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.assignments = assignments
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        groupId = reader.string()
        generationId = reader.int32()
        memberId = reader.string()
        if version >= 3 { groupInstanceId = reader.nullableString() }
        if version >= 5 {
            protocolType = reader.nullableString()
            protocolName = reader.nullableString()
        }
        assignments = reader.array { SyncGroupRequestAssignment(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.string(groupId)
        writer.int32(generationId)
        writer.string(memberId)
        if version >= 3 {
            writer.nullableString(groupInstanceId)
        } else {
            writer.omit("groupInstanceId", isDefault: groupInstanceId == nil)
        }
        if version >= 5 {
            writer.nullableString(protocolType)
            writer.nullableString(protocolName)
        }
        writer.array(assignments) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension SyncGroupRequest {
    /// One member's assignment.
    package struct SyncGroupRequestAssignment: WireMessage {
        package var memberId: String
        /// A `ConsumerProtocolAssignment` for consumers.
        package var assignment: ByteSlice

        package init(memberId: String = "", assignment: ByteSlice = ByteSlice([])) {
            self.memberId = memberId
            self.assignment = assignment
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            memberId = reader.string()
            assignment = reader.byteField()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(memberId)
            writer.byteField(assignment)
            writer.tags()
        }
    }
}

/// The member's assignment.
package struct SyncGroupResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds. Versions 1 and later.
    package var throttleTimeMs: Int32
    package var errorCode: Int16
    /// Versions 5 and later (KIP-559).
    package var protocolType: String?
    /// Versions 5 and later (KIP-559).
    package var protocolName: String?
    /// A `ConsumerProtocolAssignment` for consumers; may be empty if the member has no partitions.
    package var assignment: ByteSlice

    package init(
        throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, protocolType: String? = nil, protocolName: String? = nil,
        assignment: ByteSlice = ByteSlice([])
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.assignment = assignment
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 1 { throttleTimeMs = reader.int32() }
        errorCode = reader.int16()
        if version >= 5 {
            protocolType = reader.nullableString()
            protocolName = reader.nullableString()
        }
        assignment = reader.byteField()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.int32(throttleTimeMs) }
        writer.int16(errorCode)
        if version >= 5 {
            writer.nullableString(protocolType)
            writer.nullableString(protocolName)
        }
        writer.byteField(assignment)
        writer.tags()
    }
}
