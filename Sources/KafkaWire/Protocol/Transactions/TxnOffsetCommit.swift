/// Commits a group's offsets in a transaction; they take effect when it commits (KIP-98, KIP-447).
///
/// Request version 5 selects transaction version 2, in which this request also adds the group to the transaction
/// (KIP-890).
package struct TxnOffsetCommitRequest: KafkaRequest {
    package typealias Response = TxnOffsetCommitResponse
    package static let apiKey = APIKey.txnOffsetCommit
    package static let versions: ClosedRange<Int16> = 0...5
    package static let firstFlexibleVersion: Int16 = 3
    /// The last version that requires AddOffsetsToTxn first.
    package static let lastVersionWithoutAdding: Int16 = 4

    package var transactionalId: String
    package var groupId: String
    package var producerId: Int64
    package var producerEpoch: Int16
    /// -1 if the client isn't a member of the group. Versions 3 and later, as are the next two fields.
    package var generationId: Int32
    /// Empty if the client isn't a member of the group.
    package var memberId: String
    /// The static member's instance id (KIP-345); null for a dynamic member.
    package var groupInstanceId: String?
    package var topics: [Topic]

    package init(
        transactionalId: String = "", groupId: String = "", producerId: Int64 = 0, producerEpoch: Int16 = 0,
        generationId: Int32 = -1, memberId: String = "", groupInstanceId: String? = nil, topics: [Topic] = []
    ) {
        self.transactionalId = transactionalId
        self.groupId = groupId
        self.producerId = producerId
        self.producerEpoch = producerEpoch
        self.generationId = generationId
        self.memberId = memberId
        self.groupInstanceId = groupInstanceId
        self.topics = topics
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        transactionalId = reader.string()
        groupId = reader.string()
        producerId = reader.int64()
        producerEpoch = reader.int16()
        if version >= 3 {
            generationId = reader.int32()
            memberId = reader.string()
            groupInstanceId = reader.nullableString()
        }
        topics = reader.array { Topic(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.string(transactionalId)
        writer.string(groupId)
        writer.int64(producerId)
        writer.int16(producerEpoch)
        if version >= 3 {
            writer.int32(generationId)
            writer.string(memberId)
            writer.nullableString(groupInstanceId)
        } else {
            writer.omit("generationId", isDefault: generationId == -1)
            writer.omit("memberId", isDefault: memberId.isEmpty)
            writer.omit("groupInstanceId", isDefault: groupInstanceId == nil)
        }
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension TxnOffsetCommitRequest {
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

extension TxnOffsetCommitRequest {
    /// A partition, and the offset to commit for it.
    package struct Partition: WireMessage {
        package var partitionIndex: Int32
        /// The next offset to consume.
        package var committedOffset: Int64
        /// The last consumed record's leader epoch; -1 if unknown. Versions 2 and later.
        package var committedLeaderEpoch: Int32
        package var committedMetadata: String?

        package init(
            partitionIndex: Int32 = 0, committedOffset: Int64 = 0, committedLeaderEpoch: Int32 = -1,
            committedMetadata: String? = ""
        ) {
            self.partitionIndex = partitionIndex
            self.committedOffset = committedOffset
            self.committedLeaderEpoch = committedLeaderEpoch
            self.committedMetadata = committedMetadata
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            committedOffset = reader.int64()
            if version >= 2 { committedLeaderEpoch = reader.int32() }
            committedMetadata = reader.nullableString()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.int64(committedOffset)
            if version >= 2 { writer.int32(committedLeaderEpoch) }
            writer.nullableString(committedMetadata)
            writer.tags()
        }
    }
}

/// The result for each partition.
package struct TxnOffsetCommitResponse: WireMessage {
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

extension TxnOffsetCommitResponse {
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

extension TxnOffsetCommitResponse {
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
