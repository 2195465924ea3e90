/// Joins the next generation of a classic group.
///
/// The coordinator responds when all members have joined, or after their rebalance timeout.
package struct JoinGroupRequest: KafkaRequest {
    package typealias Response = JoinGroupResponse
    package static let apiKey = APIKey.joinGroup
    package static let versions: ClosedRange<Int16> = 0...9
    package static let firstFlexibleVersion: Int16 = 6

    package var groupId: String
    /// The time without a heartbeat after which the coordinator removes the member, in milliseconds.
    package var sessionTimeoutMs: Int32
    /// How long the coordinator waits for the member in a rebalance, in milliseconds. Versions 1 and later; before, the
    /// session timeout applies.
    package var rebalanceTimeoutMs: Int32
    /// Empty until the coordinator has assigned one.
    package var memberId: String
    /// The static member's instance id (KIP-345); null for a dynamic member. Versions 5 and later.
    package var groupInstanceId: String?
    /// `consumer` for consumer groups.
    package var protocolType: String
    /// The member's assignors, the preferred one first.
    package var protocols: [JoinGroupRequestProtocol]
    /// The reason that the coordinator logs (KIP-800). Versions 8 and later.
    package var reason: String?

    package init(
        groupId: String = "", sessionTimeoutMs: Int32 = 0, rebalanceTimeoutMs: Int32 = -1, memberId: String = "",
        groupInstanceId: String? = nil, protocolType: String = "", protocols: [JoinGroupRequestProtocol] = [],
        reason: String? = nil
    ) {
        self.groupId = groupId
        self.sessionTimeoutMs = sessionTimeoutMs
        self.rebalanceTimeoutMs = rebalanceTimeoutMs
        self.memberId = memberId
        self.groupInstanceId = groupInstanceId
        self.protocolType = protocolType
        self.protocols = protocols
        self.reason = reason
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        groupId = reader.string()
        sessionTimeoutMs = reader.int32()
        if version >= 1 { rebalanceTimeoutMs = reader.int32() }
        memberId = reader.string()
        if version >= 5 { groupInstanceId = reader.nullableString() }
        protocolType = reader.string()
        protocols = reader.array { JoinGroupRequestProtocol(from: &$0, version: version) }
        if version >= 8 { reason = reader.nullableString() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.string(groupId)
        writer.int32(sessionTimeoutMs)
        if version >= 1 { writer.int32(rebalanceTimeoutMs) }
        writer.string(memberId)
        if version >= 5 {
            writer.nullableString(groupInstanceId)
        } else {
            writer.omit("groupInstanceId", isDefault: groupInstanceId == nil)
        }
        writer.string(protocolType)
        writer.array(protocols) { $1.encode(to: &$0, version: version) }
        if version >= 8 { writer.nullableString(reason) }
        writer.tags()
    }
}

extension JoinGroupRequest {
    /// An assignor, and the member's metadata for it.
    package struct JoinGroupRequestProtocol: WireMessage {
        package var name: String
        /// A `ConsumerProtocolSubscription` for consumers.
        package var metadata: ByteSlice

        package init(name: String = "", metadata: ByteSlice = ByteSlice([])) {
            self.name = name
            self.metadata = metadata
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            metadata = reader.byteField()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.byteField(metadata)
            writer.tags()
        }
    }
}
