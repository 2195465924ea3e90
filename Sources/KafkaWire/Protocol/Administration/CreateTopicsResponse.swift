/// The result for each topic.
package struct CreateTopicsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var topics: [CreatableTopicResult]

    package init(throttleTimeMs: Int32 = 0, topics: [CreatableTopicResult] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        topics = reader.array { CreatableTopicResult(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension CreateTopicsResponse {
    /// A created topic, or an error.
    package struct CreatableTopicResult: WireMessage {
        package var name: String
        /// Versions 7 and later.
        package var topicId: KafkaUUID
        package var errorCode: Int16
        package var errorMessage: String?
        /// Why `configs` is missing although the topic was created. Versions 5 and later.
        package var topicConfigErrorCode: Int16
        /// -1 if the client isn't authorized to see it. Versions 5 and later.
        package var numPartitions: Int32
        /// -1 if the client isn't authorized to see it. Versions 5 and later.
        package var replicationFactor: Int16
        /// Null if the client isn't authorized to see them. Versions 5 and later.
        package var configs: [CreatableTopicConfigs]?

        package init(
            name: String = "", topicId: KafkaUUID = .zero, errorCode: Int16 = 0, errorMessage: String? = "",
            topicConfigErrorCode: Int16 = 0, numPartitions: Int32 = -1, replicationFactor: Int16 = -1,
            configs: [CreatableTopicConfigs]? = []
        ) {
            self.name = name
            self.topicId = topicId
            self.errorCode = errorCode
            self.errorMessage = errorMessage
            self.topicConfigErrorCode = topicConfigErrorCode
            self.numPartitions = numPartitions
            self.replicationFactor = replicationFactor
            self.configs = configs
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            if version >= 7 { topicId = reader.uuid() }
            errorCode = reader.int16()
            errorMessage = reader.nullableString()
            if version >= 5 {
                numPartitions = reader.int32()
                replicationFactor = reader.int16()
                configs = reader.nullableArray { CreatableTopicConfigs(from: &$0, version: version) }
            }
            reader.tags { tag, field in
                switch tag {
                case 0: topicConfigErrorCode = field.int16()
                default: return false
                }
                return true
            }
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            if version >= 7 { writer.uuid(topicId) }
            writer.int16(errorCode)
            writer.nullableString(errorMessage)
            if version >= 5 {
                writer.int32(numPartitions)
                writer.int16(replicationFactor)
                writer.nullableArray(configs) { $1.encode(to: &$0, version: version) }
            }
            var tags: [WireWriter.TaggedField] = []
            if topicConfigErrorCode != 0 {
                tags.append((0, { $0.int16(topicConfigErrorCode) }))
            }
            writer.tags(tags)
        }
    }
}

extension CreateTopicsResponse {
    /// An effective setting of the topic.
    package struct CreatableTopicConfigs: WireMessage {
        package var name: String
        package var value: String?
        package var readOnly: Bool
        /// As in DescribeConfigs: 1 for the topic's own, 5 for the default; -1 if unknown.
        package var configSource: Int8
        package var isSensitive: Bool

        package init(
            name: String = "", value: String? = "", readOnly: Bool = false, configSource: Int8 = -1,
            isSensitive: Bool = false
        ) {
            self.name = name
            self.value = value
            self.readOnly = readOnly
            self.configSource = configSource
            self.isSensitive = isSensitive
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            value = reader.nullableString()
            readOnly = reader.bool()
            configSource = reader.int8()
            isSensitive = reader.bool()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.nullableString(value)
            writer.bool(readOnly)
            writer.int8(configSource)
            writer.bool(isSensitive)
            writer.tags()
        }
    }
}
