/// Requests the coordinator of groups or transactional ids.
package struct FindCoordinatorRequest: KafkaRequest {
    package typealias Response = FindCoordinatorResponse
    package static let apiKey = APIKey.findCoordinator
    package static let versions: ClosedRange<Int16> = 0...6
    package static let firstFlexibleVersion: Int16 = 3

    /// Versions up to 3.
    package var key: String
    /// 0 for groups, 1 for transactions, 2 for share groups (version 6). Versions 1 and later.
    package var keyType: Int8
    /// Versions 4 and later.
    package var coordinatorKeys: [String]

    package init(key: String = "", keyType: Int8 = 0, coordinatorKeys: [String] = []) {
        self.key = key
        self.keyType = keyType
        self.coordinatorKeys = coordinatorKeys
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version <= 3 { key = reader.string() }
        if version >= 1 { keyType = reader.int8() }
        if version >= 4 { coordinatorKeys = reader.array { $0.string() } }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version <= 3 {
            writer.string(key)
        } else {
            writer.omit("key", isDefault: key.isEmpty)
        }
        if version >= 1 {
            writer.int8(keyType)
        } else {
            writer.omit("keyType", isDefault: keyType == 0)
        }
        if version >= 4 {
            writer.array(coordinatorKeys) { $0.string($1) }
        } else {
            writer.omit("coordinatorKeys", isDefault: coordinatorKeys.isEmpty)
        }
        writer.tags()
    }
}

/// The coordinators. Before version 4 the response's own fields describe the coordinator of the single key.
package struct FindCoordinatorResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds. Versions 1 and later.
    package var throttleTimeMs: Int32
    /// Versions up to 3.
    package var errorCode: Int16
    /// Versions 1 to 3.
    package var errorMessage: String?
    /// Versions up to 3.
    package var nodeId: Int32
    /// Versions up to 3.
    package var host: String
    /// Versions up to 3.
    package var port: Int32
    /// Versions 4 and later.
    package var coordinators: [Coordinator]

    package init(
        throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, errorMessage: String? = "", nodeId: Int32 = 0,
        host: String = "", port: Int32 = 0, coordinators: [Coordinator] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.nodeId = nodeId
        self.host = host
        self.port = port
        self.coordinators = coordinators
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 1 { throttleTimeMs = reader.int32() }
        if version <= 3 { errorCode = reader.int16() }
        if version >= 1 && version <= 3 { errorMessage = reader.nullableString() }
        if version <= 3 {
            nodeId = reader.int32()
            host = reader.string()
            port = reader.int32()
        }
        if version >= 4 { coordinators = reader.array { Coordinator(from: &$0, version: version) } }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.int32(throttleTimeMs) }
        if version <= 3 {
            writer.int16(errorCode)
        } else {
            writer.omit("errorCode", isDefault: errorCode == 0)
        }
        if version >= 1 && version <= 3 { writer.nullableString(errorMessage) }
        if version <= 3 {
            writer.int32(nodeId)
            writer.string(host)
            writer.int32(port)
        } else {
            writer.omit("nodeId", isDefault: nodeId == 0)
            writer.omit("host", isDefault: host.isEmpty)
            writer.omit("port", isDefault: port == 0)
        }
        if version >= 4 {
            writer.array(coordinators) { $1.encode(to: &$0, version: version) }
        } else {
            writer.omit("coordinators", isDefault: coordinators.isEmpty)
        }
        writer.tags()
    }
}

extension FindCoordinatorResponse {
    /// The coordinator of one key, or an error.
    package struct Coordinator: WireMessage {
        package var key: String
        package var nodeId: Int32
        package var host: String
        package var port: Int32
        package var errorCode: Int16
        package var errorMessage: String?

        package init(
            key: String = "", nodeId: Int32 = 0, host: String = "", port: Int32 = 0, errorCode: Int16 = 0,
            errorMessage: String? = ""
        ) {
            self.key = key
            self.nodeId = nodeId
            self.host = host
            self.port = port
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            key = reader.string()
            nodeId = reader.int32()
            host = reader.string()
            port = reader.int32()
            errorCode = reader.int16()
            errorMessage = reader.nullableString()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(key)
            writer.int32(nodeId)
            writer.string(host)
            writer.int32(port)
            writer.int16(errorCode)
            writer.nullableString(errorMessage)
            writer.tags()
        }
    }
}
