/// Requests the API versions that a broker supports, and sends the client's name and version (KIP-35, KIP-511).
package struct ApiVersionsRequest: KafkaRequest {
    package typealias Response = ApiVersionsResponse
    package static let apiKey = APIKey.apiVersions
    package static let versions: ClosedRange<Int16> = 0...4
    package static let firstFlexibleVersion: Int16 = 3

    /// Versions 3 and later. Only letters, digits, `.` and `-`; a broker rejects other characters.
    package var clientSoftwareName: String
    /// Versions 3 and later.
    package var clientSoftwareVersion: String

    package init(clientSoftwareName: String = "", clientSoftwareVersion: String = "") {
        self.clientSoftwareName = clientSoftwareName
        self.clientSoftwareVersion = clientSoftwareVersion
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 3 {
            clientSoftwareName = reader.string()
            clientSoftwareVersion = reader.string()
        }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 3 {
            writer.string(clientSoftwareName)
            writer.string(clientSoftwareVersion)
        }
        writer.tags()
    }
}

extension ApiVersionsRequest {
    /// Decodes the first response on a connection, in version 0 if the broker doesn't support the request's version.
    package static func decodeNegotiation(_ frame: ByteSlice, version: Int16) throws(ProtocolError)
        -> ApiVersionsResponse
    {
        var peek = WireReader(frame, isFlexible: false)
        _ = peek.int32()
        let isRefusal = peek.int16() == ErrorCode.unsupportedVersion.rawValue && !peek.hasFailed
        return try decodeResponse(frame, version: isRefusal ? 0 : version)
    }
}

/// The API versions and features that a broker supports.
///
/// A broker that doesn't support the request's version responds in version 0 with UNSUPPORTED_VERSION. Since Kafka 2.4
/// that response has the version range of ApiVersions only.
package struct ApiVersionsResponse: WireMessage {
    /// The version range of one API.
    package struct API: WireMessage {
        package var apiKey: Int16
        package var minVersion: Int16
        package var maxVersion: Int16

        package init(apiKey: Int16, minVersion: Int16, maxVersion: Int16) {
            self.apiKey = apiKey
            self.minVersion = minVersion
            self.maxVersion = maxVersion
        }

        package init(from reader: inout WireReader, version: Int16) {
            apiKey = reader.int16()
            minVersion = reader.int16()
            maxVersion = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int16(apiKey)
            writer.int16(minVersion)
            writer.int16(maxVersion)
            writer.tags()
        }
    }

    /// A feature, and the range of levels that the broker supports (KIP-584).
    package struct SupportedFeature: WireMessage {
        package var name: String
        package var minVersion: Int16
        package var maxVersion: Int16

        package init(name: String = "", minVersion: Int16 = 0, maxVersion: Int16 = 0) {
            self.name = name
            self.minVersion = minVersion
            self.maxVersion = maxVersion
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            minVersion = reader.int16()
            maxVersion = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.int16(minVersion)
            writer.int16(maxVersion)
            writer.tags()
        }
    }

    /// A feature, and its finalized level in the cluster (KIP-584).
    package struct FinalizedFeature: WireMessage {
        package var name: String
        package var maxVersionLevel: Int16
        package var minVersionLevel: Int16

        package init(name: String = "", maxVersionLevel: Int16 = 0, minVersionLevel: Int16 = 0) {
            self.name = name
            self.maxVersionLevel = maxVersionLevel
            self.minVersionLevel = minVersionLevel
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            maxVersionLevel = reader.int16()
            minVersionLevel = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.int16(maxVersionLevel)
            writer.int16(minVersionLevel)
            writer.tags()
        }
    }

    package var errorCode: Int16
    package var apis: [API]
    /// Versions 1 and later, in milliseconds.
    package var throttleTimeMs: Int32
    /// Versions 3 and later.
    package var supportedFeatures: [SupportedFeature]
    /// Increases with each change of `finalizedFeatures`; -1 if unknown. Versions 3 and later.
    package var finalizedFeaturesEpoch: Int64
    /// Versions 3 and later.
    package var finalizedFeatures: [FinalizedFeature]
    /// Whether the controller is configured for a migration from ZooKeeper. Versions 3 and later.
    package var zkMigrationReady: Bool

    package init(
        errorCode: Int16 = 0, apis: [API] = [], throttleTimeMs: Int32 = 0,
        supportedFeatures: [SupportedFeature] = [], finalizedFeaturesEpoch: Int64 = -1,
        finalizedFeatures: [FinalizedFeature] = [], zkMigrationReady: Bool = false
    ) {
        self.errorCode = errorCode
        self.apis = apis
        self.throttleTimeMs = throttleTimeMs
        self.supportedFeatures = supportedFeatures
        self.finalizedFeaturesEpoch = finalizedFeaturesEpoch
        self.finalizedFeatures = finalizedFeatures
        self.zkMigrationReady = zkMigrationReady
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        errorCode = reader.int16()
        apis = reader.array { API(from: &$0, version: version) }
        if version >= 1 { throttleTimeMs = reader.int32() }
        reader.tags { tag, field in
            switch tag {
            case 0: supportedFeatures = field.array { SupportedFeature(from: &$0, version: version) }
            case 1: finalizedFeaturesEpoch = field.int64()
            case 2: finalizedFeatures = field.array { FinalizedFeature(from: &$0, version: version) }
            case 3: zkMigrationReady = field.bool()
            default: return false
            }
            return true
        }
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int16(errorCode)
        writer.array(apis) { $1.encode(to: &$0, version: version) }
        if version >= 1 { writer.int32(throttleTimeMs) }
        var tags: [WireWriter.TaggedField] = []
        if !supportedFeatures.isEmpty {
            tags.append((0, { $0.array(supportedFeatures) { $1.encode(to: &$0, version: version) } }))
        }
        if finalizedFeaturesEpoch != -1 { tags.append((1, { $0.int64(finalizedFeaturesEpoch) })) }
        if !finalizedFeatures.isEmpty {
            tags.append((2, { $0.array(finalizedFeatures) { $1.encode(to: &$0, version: version) } }))
        }
        if zkMigrationReady { tags.append((3, { $0.bool(true) })) }
        writer.tags(tags)
    }
}
