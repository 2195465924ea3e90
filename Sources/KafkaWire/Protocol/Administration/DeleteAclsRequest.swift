/// Deletes the access rules that match filters (KIP-140).
package struct DeleteAclsRequest: KafkaRequest {
    package typealias Response = DeleteAclsResponse
    package static let apiKey = APIKey.deleteAcls
    package static let versions: ClosedRange<Int16> = 1...3
    package static let firstFlexibleVersion: Int16 = 2

    package var filters: [Filter]

    package init(filters: [Filter] = []) {
        self.filters = filters
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        filters = reader.array { Filter(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(filters) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension DeleteAclsRequest {
    /// A filter for the rules to delete, as in DescribeAcls.
    package struct Filter: WireMessage {
        package var resourceTypeFilter: Int8
        /// Null for any.
        package var resourceNameFilter: String?
        package var patternTypeFilter: Int8
        /// Null for any.
        package var principalFilter: String?
        /// Null for any.
        package var hostFilter: String?
        package var operation: Int8
        package var permissionType: Int8

        package init(
            resourceTypeFilter: Int8 = 0, resourceNameFilter: String? = "", patternTypeFilter: Int8 = 3,
            principalFilter: String? = "", hostFilter: String? = "", operation: Int8 = 0, permissionType: Int8 = 0
        ) {
            self.resourceTypeFilter = resourceTypeFilter
            self.resourceNameFilter = resourceNameFilter
            self.patternTypeFilter = patternTypeFilter
            self.principalFilter = principalFilter
            self.hostFilter = hostFilter
            self.operation = operation
            self.permissionType = permissionType
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            resourceTypeFilter = reader.int8()
            resourceNameFilter = reader.nullableString()
            patternTypeFilter = reader.int8()
            principalFilter = reader.nullableString()
            hostFilter = reader.nullableString()
            operation = reader.int8()
            permissionType = reader.int8()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int8(resourceTypeFilter)
            writer.nullableString(resourceNameFilter)
            writer.int8(patternTypeFilter)
            writer.nullableString(principalFilter)
            writer.nullableString(hostFilter)
            writer.int8(operation)
            writer.int8(permissionType)
            writer.tags()
        }
    }
}
