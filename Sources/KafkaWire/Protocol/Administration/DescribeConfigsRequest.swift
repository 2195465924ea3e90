/// Requests the settings of topics, brokers and groups (KIP-133). A broker returns only its own broker settings.
package struct DescribeConfigsRequest: KafkaRequest {
    package typealias Response = DescribeConfigsResponse
    package static let apiKey = APIKey.describeConfigs
    package static let versions: ClosedRange<Int16> = 1...4
    package static let firstFlexibleVersion: Int16 = 4

    package var resources: [Resource]
    /// Whether to return all sources of each setting's value (KIP-226).
    package var includeSynonyms: Bool
    /// Whether to return each setting's description (KIP-569). Versions 3 and later.
    package var includeDocumentation: Bool

    package init(resources: [Resource] = [], includeSynonyms: Bool = false, includeDocumentation: Bool = false) {
        self.resources = resources
        self.includeSynonyms = includeSynonyms
        self.includeDocumentation = includeDocumentation
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        resources = reader.array { Resource(from: &$0, version: version) }
        includeSynonyms = reader.bool()
        if version >= 3 { includeDocumentation = reader.bool() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(resources) { $1.encode(to: &$0, version: version) }
        writer.bool(includeSynonyms)
        if version >= 3 {
            writer.bool(includeDocumentation)
        } else {
            writer.omit("includeDocumentation", isDefault: !includeDocumentation)
        }
        writer.tags()
    }
}

extension DescribeConfigsRequest {
    /// A resource whose settings to return.
    package struct Resource: WireMessage {
        /// 2 for a topic, 4 a broker, 8 a broker's loggers, 16 client metrics, 32 a group.
        package var resourceType: Int8
        package var resourceName: String
        /// The names of the settings; null for all.
        package var configurationKeys: [String]?

        package init(resourceType: Int8 = 0, resourceName: String = "", configurationKeys: [String]? = []) {
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.configurationKeys = configurationKeys
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            resourceType = reader.int8()
            resourceName = reader.string()
            configurationKeys = reader.nullableArray { $0.string() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int8(resourceType)
            writer.string(resourceName)
            writer.nullableArray(configurationKeys) { $0.string($1) }
            writer.tags()
        }
    }
}
