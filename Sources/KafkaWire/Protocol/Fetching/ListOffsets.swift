/// Requests partition offsets by timestamp, or the start or end of the log.
package struct ListOffsetsRequest: KafkaRequest {
    package typealias Response = ListOffsetsResponse
    package static let apiKey = APIKey.listOffsets
    package static let versions: ClosedRange<Int16> = 1...11
    package static let firstFlexibleVersion: Int16 = 6

    /// -1 for clients.
    package var replicaId: Int32
    /// 0 to read uncommitted records too, 1 to read up to the last stable offset only. Versions 2 and later.
    package var isolationLevel: Int8
    package var topics: [Topic]
    /// How long to wait for offsets in remote storage, in milliseconds. Versions 10 and later.
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

extension ListOffsetsRequest {
    /// A partition, and the timestamp to look up.
    package struct Partition: WireMessage {
        package var partitionIndex: Int32
        /// The client's leader epoch; -1 if unknown. A broker with another epoch rejects the request (KIP-320).
        /// Versions 4 and later.
        package var currentLeaderEpoch: Int32
        /// In milliseconds since 1970, or one of: -1 the log's end, -2 its start, -3 the record with the largest
        /// timestamp (version 7), -4 the start of the local log (8), -5 the end of the tiered log (9), -6 the earliest
        /// offset yet to be tiered (11).
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

/// The requested offsets.
package struct ListOffsetsResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds. Versions 2 and later.
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
    /// The offsets of a topic's partitions.
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
    /// A partition's offset, or an error.
    package struct PartitionResponse: WireMessage {
        package var partitionIndex: Int32
        package var errorCode: Int16
        /// The timestamp of the record at `offset`, in milliseconds since 1970; -1 if there is none, or if the start or
        /// end was requested.
        package var timestamp: Int64
        /// The offset; -1 if all records are older than the requested timestamp.
        package var offset: Int64
        /// The leader epoch of the record at `offset`; -1 if unknown. Versions 4 and later.
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
