/// Requests records from given offsets, either alone or within a fetch session (KIP-227).
package struct FetchRequest: KafkaRequest {
    package typealias Response = FetchResponse
    package static let apiKey = APIKey.fetch
    package static let versions: ClosedRange<Int16> = 4...18
    package static let firstFlexibleVersion: Int16 = 12

    /// Null for clients; voters of the metadata quorum set it. Versions 12 and later.
    package var clusterId: String?
    /// -1 for consumers. Versions up to 14.
    package var replicaId: Int32
    /// Versions 15 and later.
    package var replicaState: ReplicaState
    /// How long the broker may wait for `minBytes`, in milliseconds.
    package var maxWaitMs: Int32
    /// The smallest response in bytes; with less data the broker waits up to `maxWaitMs`.
    package var minBytes: Int32
    /// The largest response in bytes. The first batch is returned even if it is larger (KIP-74).
    package var maxBytes: Int32
    /// 0 to read uncommitted records too, 1 to read up to the last stable offset only.
    package var isolationLevel: Int8
    /// 0 for no session, or to open one. Versions 7 and later.
    package var sessionId: Int32
    /// -1 for no session, 0 to open one, otherwise the sequence number of the session's next request. Versions 7 and
    /// later.
    package var sessionEpoch: Int32
    /// The partitions to fetch. In an open session (epoch above 0), only partitions that were added or changed.
    package var topics: [Topic]
    /// The partitions to remove from the session. Versions 7 and later.
    package var forgottenTopicsData: [ForgottenTopic]
    /// The consumer's rack, for fetching from a nearby replica (KIP-392); empty for none. Versions 11 and later.
    package var rackId: String

    package init(
        clusterId: String? = nil, replicaId: Int32 = -1, replicaState: ReplicaState = ReplicaState(),
        maxWaitMs: Int32 = 0, minBytes: Int32 = 0, maxBytes: Int32 = .max, isolationLevel: Int8 = 0,
        sessionId: Int32 = 0, sessionEpoch: Int32 = -1, topics: [Topic] = [],
        forgottenTopicsData: [ForgottenTopic] = [], rackId: String = ""
    ) {
        self.clusterId = clusterId
        self.replicaId = replicaId
        self.replicaState = replicaState
        self.maxWaitMs = maxWaitMs
        self.minBytes = minBytes
        self.maxBytes = maxBytes
        self.isolationLevel = isolationLevel
        self.sessionId = sessionId
        self.sessionEpoch = sessionEpoch
        self.topics = topics
        self.forgottenTopicsData = forgottenTopicsData
        self.rackId = rackId
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version <= 14 { replicaId = reader.int32() }
        maxWaitMs = reader.int32()
        minBytes = reader.int32()
        maxBytes = reader.int32()
        isolationLevel = reader.int8()
        if version >= 7 {
            sessionId = reader.int32()
            sessionEpoch = reader.int32()
        }
        topics = reader.array { Topic(from: &$0, version: version) }
        if version >= 7 { forgottenTopicsData = reader.array { ForgottenTopic(from: &$0, version: version) } }
        if version >= 11 { rackId = reader.string() }
        reader.tags { tag, field in
            switch tag {
            case 0: clusterId = field.nullableString()
            case 1 where version >= 15: replicaState = ReplicaState(from: &field, version: version)
            default: return false
            }
            return true
        }
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version <= 14 {
            writer.int32(replicaId)
        } else {
            writer.omit("replicaId", isDefault: replicaId == -1)
        }
        writer.int32(maxWaitMs)
        writer.int32(minBytes)
        writer.int32(maxBytes)
        writer.int8(isolationLevel)
        if version >= 7 {
            writer.int32(sessionId)
            writer.int32(sessionEpoch)
        }
        writer.array(topics) { $1.encode(to: &$0, version: version) }
        if version >= 7 {
            writer.array(forgottenTopicsData) { $1.encode(to: &$0, version: version) }
        } else {
            writer.omit("forgottenTopicsData", isDefault: forgottenTopicsData.isEmpty)
        }
        if version >= 11 { writer.string(rackId) }
        if version < 15 { writer.omit("replicaState", isDefault: replicaState == ReplicaState()) }
        var tags: [WireWriter.TaggedField] = []
        if let clusterId { tags.append((0, { $0.string(clusterId) })) }
        if version >= 15, replicaState != ReplicaState() {
            tags.append((1, { replicaState.encode(to: &$0, version: version) }))
        }
        writer.tags(tags)
    }
}

extension FetchRequest {
    /// The fetching replica (KIP-903). The defaults denote a consumer.
    package struct ReplicaState: WireMessage {
        package var replicaId: Int32
        package var replicaEpoch: Int64

        package init(replicaId: Int32 = -1, replicaEpoch: Int64 = -1) {
            self.replicaId = replicaId
            self.replicaEpoch = replicaEpoch
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            replicaId = reader.int32()
            replicaEpoch = reader.int64()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(replicaId)
            writer.int64(replicaEpoch)
            writer.tags()
        }
    }
}

extension FetchRequest {
    /// A topic, identified by name or, from version 13 on, by id (KIP-516).
    package struct Topic: WireMessage {
        /// Versions up to 12.
        package var topic: String
        /// Versions 13 and later.
        package var topicId: KafkaUUID
        package var partitions: [Partition]

        package init(topic: String = "", topicId: KafkaUUID = .zero, partitions: [Partition] = []) {
            self.topic = topic
            self.topicId = topicId
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            if version <= 12 { topic = reader.string() }
            if version >= 13 { topicId = reader.uuid() }
            partitions = reader.array { Partition(from: &$0, version: version) }
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

extension FetchRequest {
    /// A partition, and the position and limits of its fetch.
    package struct Partition: WireMessage {
        package var partition: Int32
        /// The client's leader epoch; -1 if unknown. A broker with another epoch rejects the request (KIP-320).
        /// Versions 9 and later.
        package var currentLeaderEpoch: Int32
        package var fetchOffset: Int64
        /// The last consumed record's leader epoch; -1 if unknown. The broker uses it to detect divergent logs
        /// (KIP-595). Versions 12 and later.
        package var lastFetchedEpoch: Int32
        /// The start of a follower's log; -1 for consumers. Versions 5 and later.
        package var logStartOffset: Int64
        /// The limit for this partition in bytes. The response's first batch is returned even if it is larger.
        package var partitionMaxBytes: Int32
        /// A follower's log directory (KIP-853); zero for consumers. Versions 17 and later.
        package var replicaDirectoryId: KafkaUUID
        /// A follower's high watermark (KIP-1166); `Int64.max` for consumers. Versions 18 and later.
        package var highWatermark: Int64

        package init(
            partition: Int32 = 0, currentLeaderEpoch: Int32 = -1, fetchOffset: Int64 = 0, lastFetchedEpoch: Int32 = -1,
            logStartOffset: Int64 = -1, partitionMaxBytes: Int32 = 0, replicaDirectoryId: KafkaUUID = .zero,
            highWatermark: Int64 = .max
        ) {
            self.partition = partition
            self.currentLeaderEpoch = currentLeaderEpoch
            self.fetchOffset = fetchOffset
            self.lastFetchedEpoch = lastFetchedEpoch
            self.logStartOffset = logStartOffset
            self.partitionMaxBytes = partitionMaxBytes
            self.replicaDirectoryId = replicaDirectoryId
            self.highWatermark = highWatermark
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partition = reader.int32()
            if version >= 9 { currentLeaderEpoch = reader.int32() }
            fetchOffset = reader.int64()
            if version >= 12 { lastFetchedEpoch = reader.int32() }
            if version >= 5 { logStartOffset = reader.int64() }
            partitionMaxBytes = reader.int32()
            reader.tags { tag, field in
                switch tag {
                case 0 where version >= 17: replicaDirectoryId = field.uuid()
                case 1 where version >= 18: highWatermark = field.int64()
                default: return false
                }
                return true
            }
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partition)
            if version >= 9 { writer.int32(currentLeaderEpoch) }
            writer.int64(fetchOffset)
            if version >= 12 {
                writer.int32(lastFetchedEpoch)
            } else {
                writer.omit("lastFetchedEpoch", isDefault: lastFetchedEpoch == -1)
            }
            if version >= 5 { writer.int64(logStartOffset) }
            writer.int32(partitionMaxBytes)
            var tags: [WireWriter.TaggedField] = []
            if version >= 17, replicaDirectoryId != .zero {
                tags.append((0, { $0.uuid(replicaDirectoryId) }))
            }
            if version >= 18, highWatermark != .max {
                tags.append((1, { $0.int64(highWatermark) }))
            }
            writer.tags(tags)
        }
    }
}

extension FetchRequest {
    /// A topic, and its partitions to remove from the session (KIP-227).
    package struct ForgottenTopic: WireMessage {
        /// Versions up to 12.
        package var topic: String
        /// Versions 13 and later.
        package var topicId: KafkaUUID
        /// Partition indexes.
        package var partitions: [Int32]

        package init(topic: String = "", topicId: KafkaUUID = .zero, partitions: [Int32] = []) {
            self.topic = topic
            self.topicId = topicId
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            if version <= 12 { topic = reader.string() }
            if version >= 13 { topicId = reader.uuid() }
            partitions = reader.array { $0.int32() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            if version <= 12 { writer.string(topic) }
            if version >= 13 { writer.uuid(topicId) }
            writer.array(partitions) { $0.int32($1) }
            writer.tags()
        }
    }
}
