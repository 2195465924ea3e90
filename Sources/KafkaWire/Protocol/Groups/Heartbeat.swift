/// Keeps a classic group's member alive, and asks whether the group is rebalancing.
package struct HeartbeatRequest: KafkaRequest {
    package typealias Response = HeartbeatResponse
    package static let apiKey = APIKey.heartbeat
    package static let versions: ClosedRange<Int16> = 0...4
    package static let firstFlexibleVersion: Int16 = 4

    package var groupId: String
    package var generationId: Int32
    package var memberId: String
    /// The static member's instance id (KIP-345); null for a dynamic member. Versions 3 and later.
    package var groupInstanceId: String?

    package init(
        groupId: String = "", generationId: Int32 = 0, memberId: String = "", groupInstanceId: String? = nil
    ) {
        self.groupId = groupId
        self.generationId = generationId
        self.memberId = memberId
        self.groupInstanceId = groupInstanceId
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        groupId = reader.string()
        generationId = reader.int32()
        memberId = reader.string()
        if version >= 3 { groupInstanceId = reader.nullableString() }
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
        writer.tags()
    }
}

/// An error if the group rebalances, or if the member or its generation is outdated.
package struct HeartbeatResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds. Versions 1 and later.
    package var throttleTimeMs: Int32
    package var errorCode: Int16

    package init(throttleTimeMs: Int32 = 0, errorCode: Int16 = 0) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 1 { throttleTimeMs = reader.int32() }
        errorCode = reader.int16()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.int32(throttleTimeMs) }
        writer.int16(errorCode)
        writer.tags()
    }
}
