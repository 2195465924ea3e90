/// The group's new generation and, for its leader, the members.
package struct JoinGroupResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds. Versions 2 and later.
    package var throttleTimeMs: Int32
    package var errorCode: Int16
    package var generationId: Int32
    /// Versions 7 and later (KIP-559).
    package var protocolType: String?
    /// The assignor that all members support; with an error null, or empty before version 7.
    package var protocolName: String?
    /// The member id of the leader, which assigns the partitions.
    package var leader: String
    /// Whether the leader must skip the assignment, because it is a static member that has rejoined (KIP-814). Versions
    /// 9 and later.
    package var skipAssignment: Bool
    /// The receiver's member id, also sent with MEMBER_ID_REQUIRED.
    package var memberId: String
    /// All members if the receiver is the leader; otherwise empty.
    package var members: [JoinGroupResponseMember]

    package init(
        throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, generationId: Int32 = -1, protocolType: String? = nil,
        protocolName: String? = "", leader: String = "", skipAssignment: Bool = false, memberId: String = "",
        members: [JoinGroupResponseMember] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.generationId = generationId
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.leader = leader
        self.skipAssignment = skipAssignment
        self.memberId = memberId
        self.members = members
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 2 { throttleTimeMs = reader.int32() }
        errorCode = reader.int16()
        generationId = reader.int32()
        if version >= 7 { protocolType = reader.nullableString() }
        protocolName = reader.nullableString(isNullable: version >= 7)
        leader = reader.string()
        if version >= 9 { skipAssignment = reader.bool() }
        memberId = reader.string()
        members = reader.array { JoinGroupResponseMember(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 2 { writer.int32(throttleTimeMs) }
        writer.int16(errorCode)
        writer.int32(generationId)
        if version >= 7 { writer.nullableString(protocolType) }
        writer.nullableString(protocolName, isNullable: version >= 7)
        writer.string(leader)
        if version >= 9 {
            writer.bool(skipAssignment)
        } else {
            writer.omit("skipAssignment", isDefault: !skipAssignment)
        }
        writer.string(memberId)
        writer.array(members) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension JoinGroupResponse {
    /// A member, and its metadata for the chosen assignor.
    package struct JoinGroupResponseMember: WireMessage {
        package var memberId: String
        /// The static member's instance id (KIP-345); null for a dynamic member. Versions 5 and later.
        package var groupInstanceId: String?
        /// A `ConsumerProtocolSubscription` for consumers.
        package var metadata: ByteSlice

        package init(memberId: String = "", groupInstanceId: String? = nil, metadata: ByteSlice = ByteSlice([])) {
            self.memberId = memberId
            self.groupInstanceId = groupInstanceId
            self.metadata = metadata
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            memberId = reader.string()
            if version >= 5 { groupInstanceId = reader.nullableString() }
            metadata = reader.byteField()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(memberId)
            if version >= 5 { writer.nullableString(groupInstanceId) }
            writer.byteField(metadata)
            writer.tags()
        }
    }
}
