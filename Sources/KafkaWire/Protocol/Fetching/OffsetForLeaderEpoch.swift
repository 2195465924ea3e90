/// Requests the end offset of a leader epoch, so that a client detects log truncation (KIP-320).
package struct OffsetForLeaderEpochRequest: KafkaRequest {
    package typealias Response = OffsetForLeaderEpochResponse
    package static let apiKey = APIKey.offsetForLeaderEpoch
    package static let versions: ClosedRange<Int16> = 2...4
    package static let firstFlexibleVersion: Int16 = 4

    /// -1 for consumers; -2 for debugging, which may see offsets beyond the high watermark. Versions 3 and later.
    package var replicaId: Int32
    package var topics: [Topic]

    package init(replicaId: Int32 = -2, topics: [Topic] = []) {
        self.replicaId = replicaId
        self.topics = topics
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 3 { replicaId = reader.int32() }
        topics = reader.array { Topic(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 3 { writer.int32(replicaId) }
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension OffsetForLeaderEpochRequest {
    /// A topic and its partitions.
    package struct Topic: WireMessage {
        package var topic: String
        package var partitions: [Partition]

        package init(topic: String = "", partitions: [Partition] = []) {
            self.topic = topic
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            topic = reader.string()
            partitions = reader.array { Partition(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(topic)
            writer.array(partitions) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension OffsetForLeaderEpochRequest {
    /// A partition, and the epoch to look up.
    package struct Partition: WireMessage {
        package var partition: Int32
        /// The client's leader epoch; -1 if unknown. A broker with another epoch rejects the request.
        package var currentLeaderEpoch: Int32
        /// The last consumed record's leader epoch.
        package var leaderEpoch: Int32

        package init(partition: Int32 = 0, currentLeaderEpoch: Int32 = -1, leaderEpoch: Int32 = 0) {
            self.partition = partition
            self.currentLeaderEpoch = currentLeaderEpoch
            self.leaderEpoch = leaderEpoch
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partition = reader.int32()
            currentLeaderEpoch = reader.int32()
            leaderEpoch = reader.int32()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partition)
            writer.int32(currentLeaderEpoch)
            writer.int32(leaderEpoch)
            writer.tags()
        }
    }
}

/// The end offsets of the requested epochs.
package struct OffsetForLeaderEpochResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var topics: [TopicResult]

    package init(throttleTimeMs: Int32 = 0, topics: [TopicResult] = []) {
        self.throttleTimeMs = throttleTimeMs
        self.topics = topics
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        topics = reader.array { TopicResult(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension OffsetForLeaderEpochResponse {
    /// The end offsets of a topic's partitions.
    package struct TopicResult: WireMessage {
        package var topic: String
        package var partitions: [EpochEndOffset]

        package init(topic: String = "", partitions: [EpochEndOffset] = []) {
            self.topic = topic
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            topic = reader.string()
            partitions = reader.array { EpochEndOffset(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(topic)
            writer.array(partitions) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension OffsetForLeaderEpochResponse {
    /// A partition's end offset, or an error.
    package struct EpochEndOffset: WireMessage {
        package var errorCode: Int16
        package var partition: Int32
        /// The log's largest epoch that isn't above the requested one; -1 if there is none.
        package var leaderEpoch: Int32
        /// The offset after that epoch's last record; -1 if there is none.
        package var endOffset: Int64

        package init(errorCode: Int16 = 0, partition: Int32 = 0, leaderEpoch: Int32 = -1, endOffset: Int64 = -1) {
            self.errorCode = errorCode
            self.partition = partition
            self.leaderEpoch = leaderEpoch
            self.endOffset = endOffset
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            errorCode = reader.int16()
            partition = reader.int32()
            leaderEpoch = reader.int32()
            endOffset = reader.int64()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int16(errorCode)
            writer.int32(partition)
            writer.int32(leaderEpoch)
            writer.int64(endOffset)
            writer.tags()
        }
    }
}
