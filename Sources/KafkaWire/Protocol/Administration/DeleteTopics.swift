/// Deletes topics by name or, from version 6 on, by id.
package struct DeleteTopicsRequest: KafkaRequest {
    package typealias Response = DeleteTopicsResponse
    package static let apiKey = APIKey.deleteTopics
    package static let versions: ClosedRange<Int16> = 1...6
    package static let firstFlexibleVersion: Int16 = 4

    /// Versions 6 and later.
    package var topics: [DeleteTopicState]
    /// Versions up to 5.
    package var topicNames: [String]
    /// How long to wait for the deletion, in milliseconds.
    package var timeoutMs: Int32

    package init(topics: [DeleteTopicState] = [], topicNames: [String] = [], timeoutMs: Int32 = 0) {
        self.topics = topics
        self.topicNames = topicNames
        self.timeoutMs = timeoutMs
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 6 { topics = reader.array { DeleteTopicState(from: &$0, version: version) } }
        if version <= 5 { topicNames = reader.array { $0.string() } }
        timeoutMs = reader.int32()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 6 {
            writer.array(topics) { $1.encode(to: &$0, version: version) }
        } else {
            writer.omit("topics", isDefault: topics.isEmpty)
        }
        if version <= 5 { writer.array(topicNames) { $0.string($1) } }
        writer.int32(timeoutMs)
        writer.tags()
    }
}

extension DeleteTopicsRequest {
    /// A topic, identified by name or, if that is null, by id.
    package struct DeleteTopicState: WireMessage {
        package var name: String?
        package var topicId: KafkaUUID

        package init(name: String? = nil, topicId: KafkaUUID = .zero) {
            self.name = name
            self.topicId = topicId
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.nullableString()
            topicId = reader.uuid()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.nullableString(name)
            writer.uuid(topicId)
            writer.tags()
        }
    }
}

/// The result for each topic.
package struct DeleteTopicsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var responses: [DeletableTopicResult]

    package init(throttleTimeMs: Int32 = 0, responses: [DeletableTopicResult] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.responses = responses
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        responses = reader.array { DeletableTopicResult(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.array(responses) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension DeleteTopicsResponse {
    /// The result for one topic.
    package struct DeletableTopicResult: WireMessage {
        /// Null for an unknown topic that was requested by id.
        package var name: String?
        /// Versions 6 and later.
        package var topicId: KafkaUUID
        package var errorCode: Int16
        /// Versions 5 and later.
        package var errorMessage: String?

        package init(
            name: String? = "", topicId: KafkaUUID = .zero, errorCode: Int16 = 0, errorMessage: String? = nil
        ) {
            self.name = name
            self.topicId = topicId
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.nullableString(isNullable: version >= 6)
            if version >= 6 { topicId = reader.uuid() }
            errorCode = reader.int16()
            if version >= 5 { errorMessage = reader.nullableString() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.nullableString(name, isNullable: version >= 6)
            if version >= 6 { writer.uuid(topicId) }
            writer.int16(errorCode)
            if version >= 5 { writer.nullableString(errorMessage) }
            writer.tags()
        }
    }
}
