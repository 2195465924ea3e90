/// Requests the groups that a broker coordinates.
package struct ListGroupsRequest: KafkaRequest {
    package typealias Response = ListGroupsResponse
    package static let apiKey = APIKey.listGroups
    package static let versions: ClosedRange<Int16> = 0...5
    package static let firstFlexibleVersion: Int16 = 3

    /// The states of the groups to list (KIP-518); empty for all. Versions 4 and later.
    package var statesFilter: [String]
    /// The types of the groups to list (KIP-848); empty for all. Version 5.
    package var typesFilter: [String]

    package init(statesFilter: [String] = [], typesFilter: [String] = []) {
        self.statesFilter = statesFilter
        self.typesFilter = typesFilter
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 4 { statesFilter = reader.array { $0.string() } }
        if version >= 5 { typesFilter = reader.array { $0.string() } }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 4 {
            writer.array(statesFilter) { $0.string($1) }
        } else {
            writer.omit("statesFilter", isDefault: statesFilter.isEmpty)
        }
        if version >= 5 {
            writer.array(typesFilter) { $0.string($1) }
        } else {
            writer.omit("typesFilter", isDefault: typesFilter.isEmpty)
        }
        writer.tags()
    }
}

/// The groups that the broker coordinates.
package struct ListGroupsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds. Versions 1 and later.
    package var throttleTimeMs: Int32
    package var errorCode: Int16
    package var groups: [Group]

    package init(throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, groups: [Group] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.groups = groups
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 1 { throttleTimeMs = reader.int32() }
        errorCode = reader.int16()
        groups = reader.array { Group(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.int32(throttleTimeMs) }
        writer.int16(errorCode)
        writer.array(groups) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension ListGroupsResponse {
    /// A group.
    package struct Group: WireMessage {
        package var groupId: String
        /// `consumer` for groups of consumers; empty if the group has never had a member.
        package var protocolType: String
        /// Versions 4 and later.
        package var groupState: String
        /// `classic`, `consumer`, `share` or `streams`. Version 5.
        package var groupType: String

        package init(groupId: String = "", protocolType: String = "", groupState: String = "", groupType: String = "") {
            self.groupId = groupId
            self.protocolType = protocolType
            self.groupState = groupState
            self.groupType = groupType
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            groupId = reader.string()
            protocolType = reader.string()
            if version >= 4 { groupState = reader.string() }
            if version >= 5 { groupType = reader.string() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(groupId)
            writer.string(protocolType)
            if version >= 4 { writer.string(groupState) }
            if version >= 5 { writer.string(groupType) }
            writer.tags()
        }
    }
}
