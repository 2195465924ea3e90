/// The settings of each resource, or an error.
package struct DescribeConfigsResponse: WireMessage {
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

extension DescribeConfigsResponse {
    /// A resource and its settings.
    package struct Result: WireMessage {
        package var errorCode: Int16
        package var errorMessage: String?
        /// The resource's type, as in the request.
        package var resourceType: Int8
        package var resourceName: String
        package var configs: [Config]

        package init(
            errorCode: Int16 = 0, errorMessage: String? = "", resourceType: Int8 = 0, resourceName: String = "",
            configs: [Config] = []
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.configs = configs
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            errorCode = reader.int16()
            errorMessage = reader.nullableString()
            resourceType = reader.int8()
            resourceName = reader.string()
            configs = reader.array { Config(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int16(errorCode)
            writer.nullableString(errorMessage)
            writer.int8(resourceType)
            writer.string(resourceName)
            writer.array(configs) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension DescribeConfigsResponse {
    /// One setting.
    package struct Config: WireMessage {
        package var name: String
        /// Null for a secret.
        package var value: String?
        /// Whether the setting can't be changed while the broker runs.
        package var readOnly: Bool
        /// The source of the value: 1 the topic, 2 this broker, 3 all brokers, 4 the broker's file, 5 the default, 6 a
        /// logger, 7 client metrics, 8 the group.
        package var configSource: Int8
        /// Whether the setting is a secret, whose value brokers don't return.
        package var isSensitive: Bool
        package var synonyms: [Synonym]
        /// 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password; 0 unknown. Versions 3
        /// and later.
        package var configType: Int8
        /// Versions 3 and later.
        package var documentation: String?

        package init(
            name: String = "", value: String? = "", readOnly: Bool = false, configSource: Int8 = -1,
            isSensitive: Bool = false, synonyms: [Synonym] = [], configType: Int8 = 0, documentation: String? = ""
        ) {
            self.name = name
            self.value = value
            self.readOnly = readOnly
            self.configSource = configSource
            self.isSensitive = isSensitive
            self.synonyms = synonyms
            self.configType = configType
            self.documentation = documentation
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            value = reader.nullableString()
            readOnly = reader.bool()
            configSource = reader.int8()
            isSensitive = reader.bool()
            synonyms = reader.array { Synonym(from: &$0, version: version) }
            if version >= 3 {
                configType = reader.int8()
                documentation = reader.nullableString()
            }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.nullableString(value)
            writer.bool(readOnly)
            writer.int8(configSource)
            writer.bool(isSensitive)
            writer.array(synonyms) { $1.encode(to: &$0, version: version) }
            if version >= 3 {
                writer.int8(configType)
                writer.nullableString(documentation)
            }
            writer.tags()
        }
    }
}

extension DescribeConfigsResponse {
    /// A source of the setting's value; the first in the list takes precedence.
    package struct Synonym: WireMessage {
        package var name: String
        package var value: String?
        /// The source, as in `configSource`.
        package var source: Int8

        package init(name: String = "", value: String? = "", source: Int8 = 0) {
            self.name = name
            self.value = value
            self.source = source
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            value = reader.nullableString()
            source = reader.int8()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.nullableString(value)
            writer.int8(source)
            writer.tags()
        }
    }
}
