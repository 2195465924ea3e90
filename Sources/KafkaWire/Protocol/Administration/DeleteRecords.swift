/// Deletes the records of partitions before an offset (KIP-107). Sent to each partition's leader.
package struct DeleteRecordsRequest: KafkaRequest {
    package typealias Response = DeleteRecordsResponse
    package static let apiKey = APIKey.deleteRecords
    package static let versions: ClosedRange<Int16> = 0...2
    package static let firstFlexibleVersion: Int16 = 2

    package var topics: [Topic]
    /// How long to wait for all replicas, in milliseconds.
    package var timeoutMs: Int32

    package init(topics: [Topic] = [], timeoutMs: Int32 = 0) {
        self.topics = topics
        self.timeoutMs = timeoutMs
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        topics = reader.array { Topic(from: &$0, version: version) }
        timeoutMs = reader.int32()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.int32(timeoutMs)
        writer.tags()
    }
}

extension DeleteRecordsRequest {
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

extension DeleteRecordsRequest {
    /// A partition, and the offset before which to delete.
    package struct Partition: WireMessage {
        package var partitionIndex: Int32
        /// The first offset to keep; -1 for the high watermark, which deletes all records.
        package var offset: Int64

        package init(partitionIndex: Int32 = 0, offset: Int64 = 0) {
            self.partitionIndex = partitionIndex
            self.offset = offset
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            offset = reader.int64()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.int64(offset)
            writer.tags()
        }
    }
}

/// The result for each partition.
package struct DeleteRecordsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var topics: [Topic]

    package init(throttleTimeMs: Int32 = 0, topics: [Topic] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        topics = reader.array { Topic(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension DeleteRecordsResponse {
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

extension DeleteRecordsResponse {
    /// A partition's new start offset, or an error.
    package struct Partition: WireMessage {
        package var partitionIndex: Int32
        /// The smallest start offset of all replicas; -1 with an error.
        package var lowWatermark: Int64
        package var errorCode: Int16

        package init(partitionIndex: Int32 = 0, lowWatermark: Int64 = 0, errorCode: Int16 = 0) {
            self.partitionIndex = partitionIndex
            self.lowWatermark = lowWatermark
            self.errorCode = errorCode
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            lowWatermark = reader.int64()
            errorCode = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.int64(lowWatermark)
            writer.int16(errorCode)
            writer.tags()
        }
    }
}
