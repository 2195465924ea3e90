/// The result for each filter, in the request's order.
package struct DeleteAclsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var filterResults: [FilterResult]

    package init(throttleTimeMs: Int32 = 0, filterResults: [FilterResult] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.filterResults = filterResults
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        filterResults = reader.array { FilterResult(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.array(filterResults) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension DeleteAclsResponse {
    /// The rules that a filter matched.
    package struct FilterResult: WireMessage {
        package var errorCode: Int16
        package var errorMessage: String?
        package var matchingAcls: [MatchingAcl]

        package init(errorCode: Int16 = 0, errorMessage: String? = "", matchingAcls: [MatchingAcl] = []) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.matchingAcls = matchingAcls
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            errorCode = reader.int16()
            errorMessage = reader.nullableString()
            matchingAcls = reader.array { MatchingAcl(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int16(errorCode)
            writer.nullableString(errorMessage)
            writer.array(matchingAcls) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension DeleteAclsResponse {
    /// A deleted rule, or a rule that couldn't be deleted and the error.
    package struct MatchingAcl: WireMessage {
        package var errorCode: Int16
        package var errorMessage: String?
        /// 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.
        package var resourceType: Int8
        package var resourceName: String
        /// 3 for a literal name, 4 for a prefix (KIP-290).
        package var patternType: Int8
        /// Such as `User:alice`.
        package var principal: String
        /// An address, or `*` for all.
        package var host: String
        /// 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, and so on as in `AclOperation`.
        package var operation: Int8
        /// 2 deny, 3 allow.
        package var permissionType: Int8

        package init(
            errorCode: Int16 = 0, errorMessage: String? = "", resourceType: Int8 = 0, resourceName: String = "",
            patternType: Int8 = 3, principal: String = "", host: String = "", operation: Int8 = 0,
            permissionType: Int8 = 0
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.patternType = patternType
            self.principal = principal
            self.host = host
            self.operation = operation
            self.permissionType = permissionType
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            errorCode = reader.int16()
            errorMessage = reader.nullableString()
            resourceType = reader.int8()
            resourceName = reader.string()
            patternType = reader.int8()
            principal = reader.string()
            host = reader.string()
            operation = reader.int8()
            permissionType = reader.int8()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int16(errorCode)
            writer.nullableString(errorMessage)
            writer.int8(resourceType)
            writer.string(resourceName)
            writer.int8(patternType)
            writer.string(principal)
            writer.string(host)
            writer.int8(operation)
            writer.int8(permissionType)
            writer.tags()
        }
    }
}
