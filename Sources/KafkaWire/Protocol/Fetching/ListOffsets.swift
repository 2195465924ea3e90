/// Asks for a partition's offset at a time, or for one of its ends.
package struct ListOffsetsRequest: KafkaRequest {
    package typealias Response = ListOffsetsResponse
    package static let apiKey = APIKey.listOffsets
    package static let versions: ClosedRange<Int16> = 1...11
    package static let firstFlexibleVersion: Int16 = 6

    /// -1 for a client.
    package var replicaId: Int32
    /// 0 reads everything, 1 only what is committed (up to the last stable offset). Versions 2 and later.
    package var isolationLevel: Int8
    package var topics: [Topic]
    /// How long to wait for offsets that lie in remote storage, in milliseconds. Versions 10 and later.
    package var timeoutMs: Int32

    package init(replicaId: Int32 = -1, isolationLevel: Int8 = 0, topics: [Topic] = [], timeoutMs: Int32 = 0) {
        self.replicaId = replicaId
        self.isolationLevel = isolationLevel
        self.topics = topics
        self.timeoutMs = timeoutMs
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        replicaId = reader.int32()
        if version >= 2 { isolationLevel = reader.int8() }
        topics = reader.array { Topic(from: &$0, version: version) }
        if version >= 10 { timeoutMs = reader.int32() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(replicaId)
        if version >= 2 {
            writer.int8(isolationLevel)
        } else {
            writer.omit("isolationLevel", isDefault: isolationLevel == 0)
        }
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        if version >= 10 { writer.int32(timeoutMs) }
        writer.tags()
    }
}

extension ListOffsetsRequest {
    /// The partitions of a topic to look into.
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

extension ListOffsetsRequest {
    /// What to look for in a partition.
    package struct Partition: WireMessage {
        package var partitionIndex: Int32
        /// The leader epoch that the client knows, or -1; a broker with another one refuses (KIP-320). Versions 4
        /// and later.
        package var currentLeaderEpoch: Int32
        /// In milliseconds since 1970; -1 for the log's end, -2 for its start, -3 for the record with the largest
        /// timestamp (version 7), -4 for the start of the log on local disk (8), -5 for the end of what is tiered
        /// (9), -6 for the start of what is yet to be tiered (11).
        package var timestamp: Int64

        package init(partitionIndex: Int32 = 0, currentLeaderEpoch: Int32 = -1, timestamp: Int64 = 0) {
            self.partitionIndex = partitionIndex
            self.currentLeaderEpoch = currentLeaderEpoch
            self.timestamp = timestamp
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            if version >= 4 { currentLeaderEpoch = reader.int32() }
            timestamp = reader.int64()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            if version >= 4 { writer.int32(currentLeaderEpoch) }
            writer.int64(timestamp)
            writer.tags()
        }
    }
}

/// The offsets that were asked for.
package struct ListOffsetsResponse: WireMessage {
    /// How long a quota held the request back, in milliseconds. Versions 2 and later.
    package var throttleTimeMs: Int32
    package var topics: [TopicResponse]

    package init(throttleTimeMs: Int32 = 0, topics: [TopicResponse] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 2 { throttleTimeMs = reader.int32() }
        topics = reader.array { TopicResponse(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 2 { writer.int32(throttleTimeMs) }
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension ListOffsetsResponse {
    /// The offsets found in a topic.
    package struct TopicResponse: WireMessage {
        package var name: String
        package var partitions: [PartitionResponse]

        package init(name: String = "", partitions: [PartitionResponse] = []) {
            self.name = name
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            partitions = reader.array { PartitionResponse(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.array(partitions) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension ListOffsetsResponse {
    /// The offset found in a partition, or the error.
    package struct PartitionResponse: WireMessage {
        package var partitionIndex: Int32
        package var errorCode: Int16
        /// Of the record at `offset`, in milliseconds since 1970; -1 if there is none or an end was asked for.
        package var timestamp: Int64
        /// -1 if no record is that young.
        package var offset: Int64
        /// Of the record at `offset`, or -1. Versions 4 and later.
        package var leaderEpoch: Int32

        package init(
            partitionIndex: Int32 = 0, errorCode: Int16 = 0, timestamp: Int64 = -1, offset: Int64 = -1,
            leaderEpoch: Int32 = -1
        ) {
            self.partitionIndex = partitionIndex
            self.errorCode = errorCode
            self.timestamp = timestamp
            self.offset = offset
            self.leaderEpoch = leaderEpoch
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            errorCode = reader.int16()
            timestamp = reader.int64()
            offset = reader.int64()
            if version >= 4 { leaderEpoch = reader.int32() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.int16(errorCode)
            writer.int64(timestamp)
            writer.int64(offset)
            if version >= 4 {
                writer.int32(leaderEpoch)
            } else {
                writer.omit("leaderEpoch", isDefault: leaderEpoch == -1)
            }
            writer.tags()
        }
    }
}
