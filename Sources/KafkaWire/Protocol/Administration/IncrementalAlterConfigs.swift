/// Changes individual settings, without affecting others (KIP-339). Broker settings are sent to that broker.
package struct IncrementalAlterConfigsRequest: KafkaRequest {
    package typealias Response = IncrementalAlterConfigsResponse
    package static let apiKey = APIKey.incrementalAlterConfigs
    package static let versions: ClosedRange<Int16> = 0...1
    package static let firstFlexibleVersion: Int16 = 1

    package var resources: [Resource]
    /// Whether to validate the request without executing it.
    package var validateOnly: Bool

    package init(resources: [Resource] = [], validateOnly: Bool = false) {
        self.resources = resources
        self.validateOnly = validateOnly
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        resources = reader.array { Resource(from: &$0, version: version) }
        validateOnly = reader.bool()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(resources) { $1.encode(to: &$0, version: version) }
        writer.bool(validateOnly)
        writer.tags()
    }
}

extension IncrementalAlterConfigsRequest {
    /// A resource whose settings to change.
    package struct Resource: WireMessage {
        /// The resource's type, as in DescribeConfigs.
        package var resourceType: Int8
        package var resourceName: String
        package var configs: [Config]

        package init(resourceType: Int8 = 0, resourceName: String = "", configs: [Config] = []) {
            self.resourceType = resourceType
            self.resourceName = resourceName
            self.configs = configs
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            resourceType = reader.int8()
            resourceName = reader.string()
            configs = reader.array { Config(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int8(resourceType)
            writer.string(resourceName)
            writer.array(configs) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension IncrementalAlterConfigsRequest {
    /// One setting.
    package struct Config: WireMessage {
        package var name: String
        /// 0 sets the value, 1 restores the default, 2 appends to a list, 3 removes from a list.
        package var configOperation: Int8
        /// Null to restore the default.
        package var value: String?

        package init(name: String = "", configOperation: Int8 = 0, value: String? = "") {
            self.name = name
            self.configOperation = configOperation
            self.value = value
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            configOperation = reader.int8()
            value = reader.nullableString()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.int8(configOperation)
            writer.nullableString(value)
            writer.tags()
        }
    }
}

/// The result for each resource: either all of its settings were altered, or none.
package struct IncrementalAlterConfigsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var responses: [Result]

    package init(throttleTimeMs: Int32 = 0, responses: [Result] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.responses = responses
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        responses = reader.array { Result(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.array(responses) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension IncrementalAlterConfigsResponse {
    /// The result for one resource.
    package struct Result: WireMessage {
        package var errorCode: Int16
        package var errorMessage: String?
        /// The resource's type, as in the request.
        package var resourceType: Int8
        package var resourceName: String

        package init(
            errorCode: Int16 = 0, errorMessage: String? = "", resourceType: Int8 = 0, resourceName: String = ""
        ) {
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.resourceType = resourceType
            self.resourceName = resourceName
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            errorCode = reader.int16()
            errorMessage = reader.nullableString()
            resourceType = reader.int8()
            resourceName = reader.string()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int16(errorCode)
            writer.nullableString(errorMessage)
            writer.int8(resourceType)
            writer.string(resourceName)
            writer.tags()
        }
    }
}
