/// Requests the access rules that match a filter (KIP-140).
package struct DescribeAclsRequest: KafkaRequest {
    package typealias Response = DescribeAclsResponse
    package static let apiKey = APIKey.describeAcls
    package static let versions: ClosedRange<Int16> = 1...3
    package static let firstFlexibleVersion: Int16 = 2

    /// 1 for any, otherwise as in `DescribeAclsResponse.Resource`.
    package var resourceTypeFilter: Int8
    /// Null for any.
    package var resourceNameFilter: String?
    /// 1 for any, 2 for all patterns that match the name, 3 for literal, 4 for prefixed.
    package var patternTypeFilter: Int8
    /// Null for any.
    package var principalFilter: String?
    /// Null for any.
    package var hostFilter: String?
    /// 1 for any.
    package var operation: Int8
    /// 1 for any.
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

/// The matching rules by resource.
package struct DescribeAclsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var errorCode: Int16
    package var errorMessage: String?
    package var resources: [Resource]

    package init(
        throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, errorMessage: String? = "", resources: [Resource] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.resources = resources
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        errorCode = reader.int16()
        errorMessage = reader.nullableString()
        resources = reader.array { Resource(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.int16(errorCode)
        writer.nullableString(errorMessage)
        writer.array(resources) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension DescribeAclsResponse {
    /// A resource pattern (a name or a prefix of names) and its rules.
    package struct Resource: WireMessage {
        /// 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.
        package var resourceType: Int8
        package var resourceName: String
        /// 3 for a literal name, 4 for a prefix (KIP-290).
        package var patternType: Int8
        package var acls: [Acl]

        package init(resourceType: Int8 = 0, resourceName: String = "", patternType: Int8 = 3, acls: [Acl] = []) {
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.patternType = patternType
            self.acls = acls
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            resourceType = reader.int8()
            resourceName = reader.string()
            patternType = reader.int8()
            acls = reader.array { Acl(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int8(resourceType)
            writer.string(resourceName)
            writer.int8(patternType)
            writer.array(acls) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension DescribeAclsResponse {
    /// An access rule.
    package struct Acl: WireMessage {
        /// Such as `User:alice`.
        package var principal: String
        /// An address, or `*` for all.
        package var host: String
        /// 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, and so on as in `AclOperation`.
        package var operation: Int8
        /// 2 deny, 3 allow.
        package var permissionType: Int8

        package init(principal: String = "", host: String = "", operation: Int8 = 0, permissionType: Int8 = 0) {
            self.principal = principal
            self.host = host
            self.operation = operation
            self.permissionType = permissionType
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            principal = reader.string()
            host = reader.string()
            operation = reader.int8()
            permissionType = reader.int8()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(principal)
            writer.string(host)
            writer.int8(operation)
            writer.int8(permissionType)
            writer.tags()
        }
    }
}
