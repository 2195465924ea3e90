/// The result for each batch.
package struct ProduceResponse: WireMessage {
    package var responses: [TopicResponse]
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    /// Addresses of the leaders named in `currentLeader` (KIP-951). Versions 10 and later.
    package var nodeEndpoints: [NodeEndpoint]

    package init(responses: [TopicResponse] = [], throttleTimeMs: Int32 = 0, nodeEndpoints: [NodeEndpoint] = []) {
        self.responses = responses
        self.throttleTimeMs = throttleTimeMs
        self.nodeEndpoints = nodeEndpoints
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        responses = reader.array { TopicResponse(from: &$0, version: version) }
        throttleTimeMs = reader.int32()
        reader.tags { tag, field in
            switch tag {
            case 0 where version >= 10: nodeEndpoints = field.array { NodeEndpoint(from: &$0, version: version) }
            default: return false
            }
            return true
        }
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.array(responses) { $1.encode(to: &$0, version: version) }
        writer.int32(throttleTimeMs)
        if version < 10 { writer.omit("nodeEndpoints", isDefault: nodeEndpoints.isEmpty) }
        var tags: [WireWriter.TaggedField] = []
        if version >= 10, !nodeEndpoints.isEmpty {
            tags.append((0, { $0.array(nodeEndpoints) { $1.encode(to: &$0, version: version) } }))
        }
        writer.tags(tags)
    }
}

extension ProduceResponse {
    /// A topic, identified by name or, from version 13 on, by id (KIP-516).
    package struct TopicResponse: WireMessage {
        /// Versions up to 12.
        package var name: String
        /// Versions 13 and later.
        package var topicId: KafkaUUID
        package var partitionResponses: [PartitionResponse]

        package init(name: String = "", topicId: KafkaUUID = .zero, partitionResponses: [PartitionResponse] = []) {
            self.name = name
            self.topicId = topicId
            self.partitionResponses = partitionResponses
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            if version <= 12 { name = reader.string() }
            if version >= 13 { topicId = reader.uuid() }
            partitionResponses = reader.array { PartitionResponse(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            if version <= 12 { writer.string(name) }
            if version >= 13 { writer.uuid(topicId) }
            writer.array(partitionResponses) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension ProduceResponse {
    /// The result for a partition's batch.
    package struct PartitionResponse: WireMessage {
        package var index: Int32
        package var errorCode: Int16
        /// The batch's base offset; -1 with an error.
        package var baseOffset: Int64
        /// The broker's timestamp in milliseconds since 1970; -1 if the topic keeps the producer's timestamps.
        package var logAppendTimeMs: Int64
        /// The log's first offset; -1 if unknown. Versions 5 and later.
        package var logStartOffset: Int64
        /// The records that caused the batch to be rejected (KIP-467). Versions 8 and later.
        package var recordErrors: [BatchIndexAndErrorMessage]
        /// Why the batch was rejected; null if the broker doesn't say. Versions 8 and later.
        package var errorMessage: String?
        /// The current leader, sent with NOT_LEADER_OR_FOLLOWER (KIP-951). Versions 10 and later.
        package var currentLeader: LeaderIdAndEpoch

        package init(
            index: Int32 = 0, errorCode: Int16 = 0, baseOffset: Int64 = 0, logAppendTimeMs: Int64 = -1,
            logStartOffset: Int64 = -1, recordErrors: [BatchIndexAndErrorMessage] = [], errorMessage: String? = nil,
            currentLeader: LeaderIdAndEpoch = LeaderIdAndEpoch()
        ) {
            self.index = index
            self.errorCode = errorCode
            self.baseOffset = baseOffset
            self.logAppendTimeMs = logAppendTimeMs
            self.logStartOffset = logStartOffset
            self.recordErrors = recordErrors
            self.errorMessage = errorMessage
            self.currentLeader = currentLeader
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            index = reader.int32()
            errorCode = reader.int16()
            baseOffset = reader.int64()
            logAppendTimeMs = reader.int64()
            if version >= 5 { logStartOffset = reader.int64() }
            if version >= 8 {
                recordErrors = reader.array { BatchIndexAndErrorMessage(from: &$0, version: version) }
                errorMessage = reader.nullableString()
            }
            reader.tags { tag, field in
                switch tag {
                case 0 where version >= 10: currentLeader = LeaderIdAndEpoch(from: &field, version: version)
                default: return false
                }
                return true
            }
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(index)
            writer.int16(errorCode)
            writer.int64(baseOffset)
            writer.int64(logAppendTimeMs)
            if version >= 5 { writer.int64(logStartOffset) }
            if version >= 8 {
                writer.array(recordErrors) { $1.encode(to: &$0, version: version) }
                writer.nullableString(errorMessage)
            }
            if version < 10 { writer.omit("currentLeader", isDefault: currentLeader == LeaderIdAndEpoch()) }
            var tags: [WireWriter.TaggedField] = []
            if version >= 10, currentLeader != LeaderIdAndEpoch() {
                tags.append((0, { currentLeader.encode(to: &$0, version: version) }))
            }
            writer.tags(tags)
        }
    }
}

extension ProduceResponse {
    /// A record that caused its batch to be rejected.
    package struct BatchIndexAndErrorMessage: WireMessage {
        /// The record's index in the batch, from 0.
        package var batchIndex: Int32
        package var batchIndexErrorMessage: String?

        package init(batchIndex: Int32 = 0, batchIndexErrorMessage: String? = nil) {
            self.batchIndex = batchIndex
            self.batchIndexErrorMessage = batchIndexErrorMessage
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            batchIndex = reader.int32()
            batchIndexErrorMessage = reader.nullableString()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(batchIndex)
            writer.nullableString(batchIndexErrorMessage)
            writer.tags()
        }
    }
}
