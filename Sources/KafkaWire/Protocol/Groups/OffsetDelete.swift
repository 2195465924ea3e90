/// Deletes a group's committed offsets for topics without subscribed members (KIP-496).
package struct OffsetDeleteRequest: KafkaRequest {
    package typealias Response = OffsetDeleteResponse
    package static let apiKey = APIKey.offsetDelete
    package static let versions: ClosedRange<Int16> = 0...0
    /// No version is flexible.
    package static let firstFlexibleVersion = Int16.max

    package var groupId: String
    package var topics: [Topic]

    package init(groupId: String = "", topics: [Topic] = []) {
        self.groupId = groupId
        self.topics = topics
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        groupId = reader.string()
        topics = reader.array { Topic(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.string(groupId)
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension OffsetDeleteRequest {
    /// A topic and its partitions.
    package struct Topic: WireMessage {
        package var name: String
        package var partitions: [Partition]

        package init(name: String = "", partitions: [Partition] = []) {
            self.name = name
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            partitions = reader.array { Partition(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.array(partitions) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension OffsetDeleteRequest {
    /// A partition whose committed offset is to be deleted.
    package struct Partition: WireMessage {
        package var partitionIndex: Int32

        package init(partitionIndex: Int32 = 0) {
            self.partitionIndex = partitionIndex
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.tags()
        }
    }
}

/// The result for each partition.
package struct OffsetDeleteResponse: WireMessage {
    /// An error of the whole group.
    package var errorCode: Int16
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var topics: [Topic]

    package init(errorCode: Int16 = 0, throttleTimeMs: Int32 = 0, topics: [Topic] = []) {
        self.errorCode = errorCode
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        errorCode = reader.int16()
        throttleTimeMs = reader.int32()
        topics = reader.array { Topic(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int16(errorCode)
        writer.int32(throttleTimeMs)
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension OffsetDeleteResponse {
    /// A topic and its partitions.
    package struct Topic: WireMessage {
        package var name: String
        package var partitions: [Partition]

        package init(name: String = "", partitions: [Partition] = []) {
            self.name = name
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            partitions = reader.array { Partition(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.array(partitions) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension OffsetDeleteResponse {
    /// The result for one partition.
    package struct Partition: WireMessage {
        package var partitionIndex: Int32
        package var errorCode: Int16

        package init(partitionIndex: Int32 = 0, errorCode: Int16 = 0) {
            self.partitionIndex = partitionIndex
            self.errorCode = errorCode
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            errorCode = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.int16(errorCode)
            writer.tags()
        }
    }
}
