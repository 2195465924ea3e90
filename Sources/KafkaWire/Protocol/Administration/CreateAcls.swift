/// Creates access rules (KIP-140).
package struct CreateAclsRequest: KafkaRequest {
    package typealias Response = CreateAclsResponse
    package static let apiKey = APIKey.createAcls
    package static let versions: ClosedRange<Int16> = 1...3
    package static let firstFlexibleVersion: Int16 = 2

    package var creations: [Creation]

    package init(creations: [Creation] = []) {
        self.creations = creations
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        creations = reader.array { Creation(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(creations) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension CreateAclsRequest {
    /// An access rule to create.
    package struct Creation: WireMessage {
        /// 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.
        package var resourceType: Int8
        package var resourceName: String
        /// 3 for a literal name, 4 for a prefix (KIP-290).
        package var resourcePatternType: Int8
        /// Such as `User:alice`.
        package var principal: String
        /// An address, or `*` for all.
        package var host: String
        /// 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, and so on as in `AclOperation`.
        package var operation: Int8
        /// 2 deny, 3 allow.
        package var permissionType: Int8

        package init(
            resourceType: Int8 = 0, resourceName: String = "", resourcePatternType: Int8 = 3, principal: String = "",
            host: String = "", operation: Int8 = 0, permissionType: Int8 = 0
        ) {
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.resourcePatternType = resourcePatternType
            self.principal = principal
            self.host = host
            self.operation = operation
            self.permissionType = permissionType
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            resourceType = reader.int8()
            resourceName = reader.string()
            resourcePatternType = reader.int8()
            principal = reader.string()
            host = reader.string()
            operation = reader.int8()
            permissionType = reader.int8()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int8(resourceType)
            writer.string(resourceName)
            writer.int8(resourcePatternType)
            writer.string(principal)
            writer.string(host)
            writer.int8(operation)
            writer.int8(permissionType)
            writer.tags()
        }
    }
}

/// The result for each rule, in the request's order.
package struct CreateAclsResponse: WireMessage {
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

extension CreateAclsResponse {
    /// The result for one rule.
    package struct Result: WireMessage {
        package var errorCode: Int16
        package var errorMessage: String?

        package init(errorCode: Int16 = 0, errorMessage: String? = "") {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            errorCode = reader.int16()
            errorMessage = reader.nullableString()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int16(errorCode)
            writer.nullableString(errorMessage)
            writer.tags()
        }
    }
}
