/// Removes members from a classic group.
package struct LeaveGroupRequest: KafkaRequest {
    package typealias Response = LeaveGroupResponse
    package static let apiKey = APIKey.leaveGroup
    package static let versions: ClosedRange<Int16> = 0...5
    package static let firstFlexibleVersion: Int16 = 4

    package var groupId: String
    /// Versions up to 2.
    package var memberId: String
    /// Versions 3 and later.
    package var members: [MemberIdentity]

    package init(groupId: String = "", memberId: String = "", members: [MemberIdentity] = []) {
        self.groupId = groupId
        self.memberId = memberId
        self.members = members
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        groupId = reader.string()
        if version <= 2 { memberId = reader.string() }
        if version >= 3 { members = reader.array { MemberIdentity(from: &$0, version: version) } }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.string(groupId)
        if version <= 2 {
            writer.string(memberId)
            writer.omit("members", isDefault: members.isEmpty)
        } else {
            writer.omit("memberId", isDefault: memberId.isEmpty)
            writer.array(members) { $1.encode(to: &$0, version: version) }
        }
        writer.tags()
    }
}

extension LeaveGroupRequest {
    /// A member, identified by its id or, if that is empty, by its instance id.
    package struct MemberIdentity: WireMessage {
        package var memberId: String
        package var groupInstanceId: String?
        /// The reason that the coordinator logs (KIP-800). Versions 5 and later.
        package var reason: String?

        package init(memberId: String = "", groupInstanceId: String? = nil, reason: String? = nil) {
            self.memberId = memberId
            self.groupInstanceId = groupInstanceId
            self.reason = reason
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            memberId = reader.string()
            groupInstanceId = reader.nullableString()
            if version >= 5 { reason = reader.nullableString() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(memberId)
            writer.nullableString(groupInstanceId)
            if version >= 5 { writer.nullableString(reason) }
            writer.tags()
        }
    }
}

/// The result for each member.
package struct LeaveGroupResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds. Versions 1 and later.
    package var throttleTimeMs: Int32
    package var errorCode: Int16
    /// Versions 3 and later.
    package var members: [MemberResponse]

    package init(throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, members: [MemberResponse] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.members = members
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 1 { throttleTimeMs = reader.int32() }
        errorCode = reader.int16()
        if version >= 3 { members = reader.array { MemberResponse(from: &$0, version: version) } }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.int32(throttleTimeMs) }
        writer.int16(errorCode)
        if version >= 3 {
            writer.array(members) { $1.encode(to: &$0, version: version) }
        } else {
            writer.omit("members", isDefault: members.isEmpty)
        }
        writer.tags()
    }
}

extension LeaveGroupResponse {
    /// The result for one member.
    package struct MemberResponse: WireMessage {
        package var memberId: String
        package var groupInstanceId: String?
        package var errorCode: Int16

        package init(memberId: String = "", groupInstanceId: String? = "", errorCode: Int16 = 0) {
            self.memberId = memberId
            self.groupInstanceId = groupInstanceId
            self.errorCode = errorCode
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            memberId = reader.string()
            groupInstanceId = reader.nullableString()
            errorCode = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(memberId)
            writer.nullableString(groupInstanceId)
            writer.int16(errorCode)
            writer.tags()
        }
    }
}
