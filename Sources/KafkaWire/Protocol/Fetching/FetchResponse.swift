/// Record batches, as stored in the broker's log.
package struct FetchResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    /// An error of the session or of the whole request. Versions 7 and later.
    package var errorCode: Int16
    /// The fetch session's id; 0 if there is no session. Versions 7 and later.
    package var sessionId: Int32
    /// The fetched partitions. In a session, only partitions with records, an error or a changed watermark or start
    /// offset.
    package var responses: [FetchableTopicResponse]
    /// Addresses of the leaders named in `currentLeader` (KIP-951). Versions 16 and later.
    package var nodeEndpoints: [NodeEndpoint]

    package init(
        throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, sessionId: Int32 = 0, responses: [FetchableTopicResponse] = [],
        nodeEndpoints: [NodeEndpoint] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.sessionId = sessionId
        self.responses = responses
        self.nodeEndpoints = nodeEndpoints
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        if version >= 7 {
            errorCode = reader.int16()
            sessionId = reader.int32()
        }
        responses = reader.array { FetchableTopicResponse(from: &$0, version: version) }
        reader.tags { tag, field in
            switch tag {
            case 0 where version >= 16: nodeEndpoints = field.array { NodeEndpoint(from: &$0, version: version) }
            default: return false
            }
            return true
        }
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        if version >= 7 {
            writer.int16(errorCode)
            writer.int32(sessionId)
        } else {
            writer.omit("sessionId", isDefault: sessionId == 0)
        }
        writer.array(responses) { $1.encode(to: &$0, version: version) }
        if version < 16 { writer.omit("nodeEndpoints", isDefault: nodeEndpoints.isEmpty) }
        var tags: [WireWriter.TaggedField] = []
        if version >= 16, !nodeEndpoints.isEmpty {
            tags.append((0, { $0.array(nodeEndpoints) { $1.encode(to: &$0, version: version) } }))
        }
        writer.tags(tags)
    }
}

extension FetchResponse {
    /// A topic, identified by name or, from version 13 on, by id (KIP-516).
    package struct FetchableTopicResponse: WireMessage {
        /// Versions up to 12.
        package var topic: String
        /// Versions 13 and later.
        package var topicId: KafkaUUID
        package var partitions: [PartitionData]

        package init(topic: String = "", topicId: KafkaUUID = .zero, partitions: [PartitionData] = []) {
            self.topic = topic
            self.topicId = topicId
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            if version <= 12 { topic = reader.string() }
            if version >= 13 { topicId = reader.uuid() }
            partitions = reader.array { PartitionData(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            if version <= 12 { writer.string(topic) }
            if version >= 13 { writer.uuid(topicId) }
            writer.array(partitions) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension FetchResponse {
    /// The records of a partition, or an error.
    package struct PartitionData: WireMessage {
        package var partitionIndex: Int32
        package var errorCode: Int16
        /// The first offset that consumers can't read yet; -1 if unknown.
        package var highWatermark: Int64
        /// The first offset of an open transaction, at most the high watermark; -1 if unknown.
        package var lastStableOffset: Int64
        /// The log's first offset; -1 if unknown. Versions 5 and later.
        package var logStartOffset: Int64
        /// The point where the log diverges from what the client has read; the defaults if it doesn't (KIP-595).
        /// Versions 12 and later.
        package var divergingEpoch: EpochEndOffset
        /// The current leader, sent with NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH (KIP-951). Versions 12 and
        /// later.
        package var currentLeader: LeaderIdAndEpoch
        /// The snapshot to fetch instead; only for the metadata log (KIP-630). Versions 12 and later.
        package var snapshotId: SnapshotId
        /// The aborted transactions; null if the request reads uncommitted records too.
        package var abortedTransactions: [AbortedTransaction]?
        /// The node id of the replica to fetch from instead; -1 for none (KIP-392). Versions 11 and later.
        package var preferredReadReplica: Int32
        /// Record batches; the last one may be truncated. Shares the frame's memory.
        package var records: ByteSlice?

        package init(
            partitionIndex: Int32 = 0, errorCode: Int16 = 0, highWatermark: Int64 = 0, lastStableOffset: Int64 = -1,
            logStartOffset: Int64 = -1, divergingEpoch: EpochEndOffset = EpochEndOffset(),
            currentLeader: LeaderIdAndEpoch = LeaderIdAndEpoch(), snapshotId: SnapshotId = SnapshotId(),
            abortedTransactions: [AbortedTransaction]? = [], preferredReadReplica: Int32 = -1, records: ByteSlice? = nil
        ) {
            self.partitionIndex = partitionIndex
            self.errorCode = errorCode
            self.highWatermark = highWatermark
            self.lastStableOffset = lastStableOffset
            self.logStartOffset = logStartOffset
            self.divergingEpoch = divergingEpoch
            self.currentLeader = currentLeader
            self.snapshotId = snapshotId
            self.abortedTransactions = abortedTransactions
            self.preferredReadReplica = preferredReadReplica
            self.records = records
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            errorCode = reader.int16()
            highWatermark = reader.int64()
            lastStableOffset = reader.int64()
            if version >= 5 { logStartOffset = reader.int64() }
            abortedTransactions = reader.nullableArray { AbortedTransaction(from: &$0, version: version) }
            if version >= 11 { preferredReadReplica = reader.int32() }
            records = reader.nullableBytes()
            reader.tags { tag, field in
                switch tag {
                case 0: divergingEpoch = EpochEndOffset(from: &field, version: version)
                case 1: currentLeader = LeaderIdAndEpoch(from: &field, version: version)
                case 2: snapshotId = SnapshotId(from: &field, version: version)
                default: return false
                }
                return true
            }
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.int16(errorCode)
            writer.int64(highWatermark)
            writer.int64(lastStableOffset)
            if version >= 5 { writer.int64(logStartOffset) }
            writer.nullableArray(abortedTransactions) { $1.encode(to: &$0, version: version) }
            if version >= 11 {
                writer.int32(preferredReadReplica)
            } else {
                writer.omit("preferredReadReplica", isDefault: preferredReadReplica == -1)
            }
            writer.nullableBytes(records)
            if version < 12 {
                writer.omit("divergingEpoch", isDefault: divergingEpoch == EpochEndOffset())
                writer.omit("currentLeader", isDefault: currentLeader == LeaderIdAndEpoch())
                writer.omit("snapshotId", isDefault: snapshotId == SnapshotId())
            }
            var tags: [WireWriter.TaggedField] = []
            if divergingEpoch != EpochEndOffset() {
                tags.append((0, { divergingEpoch.encode(to: &$0, version: version) }))
            }
            if currentLeader != LeaderIdAndEpoch() {
                tags.append((1, { currentLeader.encode(to: &$0, version: version) }))
            }
            if snapshotId != SnapshotId() {
                tags.append((2, { snapshotId.encode(to: &$0, version: version) }))
            }
            writer.tags(tags)
        }
    }
}

extension FetchResponse {
    /// The largest leader epoch that both logs have, and its end offset.
    package struct EpochEndOffset: WireMessage {
        package var epoch: Int32
        package var endOffset: Int64

        package init(epoch: Int32 = -1, endOffset: Int64 = -1) {
            self.epoch = epoch
            self.endOffset = endOffset
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            epoch = reader.int32()
            endOffset = reader.int64()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(epoch)
            writer.int64(endOffset)
            writer.tags()
        }
    }
}

extension FetchResponse {
    /// The end of a snapshot of the metadata log (KIP-630).
    package struct SnapshotId: WireMessage {
        package var endOffset: Int64
        package var epoch: Int32

        package init(endOffset: Int64 = -1, epoch: Int32 = -1) {
            self.endOffset = endOffset
            self.epoch = epoch
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            endOffset = reader.int64()
            epoch = reader.int32()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int64(endOffset)
            writer.int32(epoch)
            writer.tags()
        }
    }
}

extension FetchResponse {
    /// An aborted transaction: the producer's records from `firstOffset` to its next ABORT marker.
    package struct AbortedTransaction: WireMessage {
        package var producerId: Int64
        package var firstOffset: Int64

        package init(producerId: Int64 = 0, firstOffset: Int64 = 0) {
            self.producerId = producerId
            self.firstOffset = firstOffset
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            producerId = reader.int64()
            firstOffset = reader.int64()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int64(producerId)
            writer.int64(firstOffset)
            writer.tags()
        }
    }
}
