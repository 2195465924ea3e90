/// Adds partitions to topics (KIP-195). The controller executes it; other brokers forward it.
package struct CreatePartitionsRequest: KafkaRequest {
    package typealias Response = CreatePartitionsResponse
    package static let apiKey = APIKey.createPartitions
    package static let versions: ClosedRange<Int16> = 0...3
    package static let firstFlexibleVersion: Int16 = 2

    package var topics: [Topic]
    /// How long to wait for the creation, in milliseconds.
    package var timeoutMs: Int32
    /// Whether to validate the request without executing it.
    package var validateOnly: Bool

    package init(topics: [Topic] = [], timeoutMs: Int32 = 0, validateOnly: Bool = false) {
        self.topics = topics
        self.timeoutMs = timeoutMs
        self.validateOnly = validateOnly
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        topics = reader.array { Topic(from: &$0, version: version) }
        timeoutMs = reader.int32()
        validateOnly = reader.bool()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.int32(timeoutMs)
        writer.bool(validateOnly)
        writer.tags()
    }
}

extension CreatePartitionsRequest {
    /// A topic, and its new number of partitions.
    package struct Topic: WireMessage {
        package var name: String
        /// The total number of partitions, including the existing ones.
        package var count: Int32
        /// One assignment per new partition; null to let the controller place the replicas.
        package var assignments: [Assignment]?

        package init(name: String = "", count: Int32 = 0, assignments: [Assignment]? = []) {
            self.name = name
            self.count = count
            self.assignments = assignments
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            count = reader.int32()
            assignments = reader.nullableArray { Assignment(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.int32(count)
            writer.nullableArray(assignments) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension CreatePartitionsRequest {
    /// The brokers for a new partition's replicas.
    package struct Assignment: WireMessage {
        /// The node ids of the replicas; the first becomes the leader.
        package var brokerIds: [Int32]

        package init(brokerIds: [Int32] = []) {
            self.brokerIds = brokerIds
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            brokerIds = reader.array { $0.int32() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.array(brokerIds) { $0.int32($1) }
            writer.tags()
        }
    }
}

/// The result for each topic.
package struct CreatePartitionsResponse: WireMessage {
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

extension CreatePartitionsResponse {
    /// The result for one topic.
    package struct Result: WireMessage {
        package var name: String
        package var errorCode: Int16
        package var errorMessage: String?

        package init(name: String = "", errorCode: Int16 = 0, errorMessage: String? = nil) {
            self.name = name
            self.errorCode = errorCode
            self.errorMessage = errorMessage
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            errorCode = reader.int16()
            errorMessage = reader.nullableString()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.int16(errorCode)
            writer.nullableString(errorMessage)
            writer.tags()
        }
    }
}
