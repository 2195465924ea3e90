/// Deletes groups without members, and their offsets (KIP-229). Sent to each group's coordinator.
package struct DeleteGroupsRequest: KafkaRequest {
    package typealias Response = DeleteGroupsResponse
    package static let apiKey = APIKey.deleteGroups
    package static let versions: ClosedRange<Int16> = 0...2
    package static let firstFlexibleVersion: Int16 = 2

    package var groupsNames: [String]

    package init(groupsNames: [String] = []) {
        self.groupsNames = groupsNames
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        groupsNames = reader.array { $0.string() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(groupsNames) { $0.string($1) }
        writer.tags()
    }
}

/// The result for each group.
package struct DeleteGroupsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var results: [Result]

    package init(throttleTimeMs: Int32 = 0, results: [Result] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.results = results
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        results = reader.array { Result(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.array(results) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension DeleteGroupsResponse {
    /// The result for one group.
    package struct Result: WireMessage {
        package var groupId: String
        package var errorCode: Int16

        package init(groupId: String = "", errorCode: Int16 = 0) {
            self.groupId = groupId
            self.errorCode = errorCode
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            groupId = reader.string()
            errorCode = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(groupId)
            writer.int16(errorCode)
            writer.tags()
        }
    }
}
