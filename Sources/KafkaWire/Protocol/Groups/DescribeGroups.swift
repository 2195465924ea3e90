/// Requests descriptions of classic groups from their coordinator.
package struct DescribeGroupsRequest: KafkaRequest {
    package typealias Response = DescribeGroupsResponse
    package static let apiKey = APIKey.describeGroups
    package static let versions: ClosedRange<Int16> = 0...6
    package static let firstFlexibleVersion: Int16 = 5

    package var groups: [String]
    /// Whether to return the client's permitted operations on each group (KIP-430). Versions 3 and later.
    package var includeAuthorizedOperations: Bool

    package init(groups: [String] = [], includeAuthorizedOperations: Bool = false) {
        self.groups = groups
        self.includeAuthorizedOperations = includeAuthorizedOperations
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        groups = reader.array { $0.string() }
        if version >= 3 { includeAuthorizedOperations = reader.bool() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(groups) { $0.string($1) }
        if version >= 3 {
            writer.bool(includeAuthorizedOperations)
        } else {
            writer.omit("includeAuthorizedOperations", isDefault: !includeAuthorizedOperations)
        }
        writer.tags()
    }
}

/// The groups and their members.
package struct DescribeGroupsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds. Versions 1 and later.
    package var throttleTimeMs: Int32
    package var groups: [Group]

    package init(throttleTimeMs: Int32 = 0, groups: [Group] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.groups = groups
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 1 { throttleTimeMs = reader.int32() }
        groups = reader.array { Group(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.int32(throttleTimeMs) }
        writer.array(groups) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension DescribeGroupsResponse {
    /// A group. One that doesn't exist has the state `Dead`, and from version 6 on also GROUP_ID_NOT_FOUND (KIP-1043).
    package struct Group: WireMessage {
        package var errorCode: Int16
        /// Version 6.
        package var errorMessage: String?
        package var groupId: String
        /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`.
        package var groupState: String
        /// `consumer` for consumer groups.
        package var protocolType: String
        /// The assignor of a stable group.
        package var protocolData: String
        package var members: [Member]
        /// Bit field by the numbers of `AclOperation`; `Int32.min` if not requested. Versions 3 and later.
        package var authorizedOperations: Int32

        package init(
            errorCode: Int16 = 0, errorMessage: String? = nil, groupId: String = "", groupState: String = "",
            protocolType: String = "", protocolData: String = "", members: [Member] = [],
            authorizedOperations: Int32 = .min
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.groupId = groupId
            self.groupState = groupState
            self.protocolType = protocolType
            self.protocolData = protocolData
            self.members = members
            self.authorizedOperations = authorizedOperations
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            errorCode = reader.int16()
            if version >= 6 { errorMessage = reader.nullableString() }
            groupId = reader.string()
            groupState = reader.string()
            protocolType = reader.string()
            protocolData = reader.string()
            members = reader.array { Member(from: &$0, version: version) }
            if version >= 3 { authorizedOperations = reader.int32() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int16(errorCode)
            if version >= 6 {
                writer.nullableString(errorMessage)
            } else {
                writer.omit("errorMessage", isDefault: errorMessage == nil)
            }
            writer.string(groupId)
            writer.string(groupState)
            writer.string(protocolType)
            writer.string(protocolData)
            writer.array(members) { $1.encode(to: &$0, version: version) }
            if version >= 3 {
                writer.int32(authorizedOperations)
            } else {
                writer.omit("authorizedOperations", isDefault: authorizedOperations == .min)
            }
            writer.tags()
        }
    }
}

extension DescribeGroupsResponse {
    /// A member of a group.
    package struct Member: WireMessage {
        package var memberId: String
        /// The static member's instance id (KIP-345); null for a dynamic member. Versions 4 and later.
        package var groupInstanceId: String?
        package var clientId: String
        package var clientHost: String
        /// The metadata that the member joined with; for consumers a `ConsumerProtocolSubscription`.
        package var memberMetadata: ByteSlice
        /// The member's assignment; for consumers a `ConsumerProtocolAssignment`.
        package var memberAssignment: ByteSlice

        package init(
            memberId: String = "", groupInstanceId: String? = nil, clientId: String = "", clientHost: String = "",
            memberMetadata: ByteSlice = ByteSlice([]), memberAssignment: ByteSlice = ByteSlice([])
        ) {
            self.memberId = memberId
            self.groupInstanceId = groupInstanceId
            self.clientId = clientId
            self.clientHost = clientHost
            self.memberMetadata = memberMetadata
            self.memberAssignment = memberAssignment
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            memberId = reader.string()
            if version >= 4 { groupInstanceId = reader.nullableString() }
            clientId = reader.string()
            clientHost = reader.string()
            memberMetadata = reader.byteField()
            memberAssignment = reader.byteField()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(memberId)
            if version >= 4 { writer.nullableString(groupInstanceId) }
            writer.string(clientId)
            writer.string(clientHost)
            writer.byteField(memberMetadata)
            writer.byteField(memberAssignment)
            writer.tags()
        }
    }
}
