/// The results for the partitions.
package struct AddPartitionsToTxnResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    /// Versions 4 and later.
    package var errorCode: Int16
    /// Versions 4 and later.
    package var resultsByTransaction: [TransactionResult]
    /// Versions up to 3.
    package var resultsByTopicV3AndBelow: [TopicResult]

    package init(
        throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, resultsByTransaction: [TransactionResult] = [],
        resultsByTopicV3AndBelow: [TopicResult] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.resultsByTransaction = resultsByTransaction
        self.resultsByTopicV3AndBelow = resultsByTopicV3AndBelow
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        if version >= 4 {
            errorCode = reader.int16()
            resultsByTransaction = reader.array { TransactionResult(from: &$0, version: version) }
        } else {
            resultsByTopicV3AndBelow = reader.array { TopicResult(from: &$0, version: version) }
        }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        if version >= 4 {
            writer.int16(errorCode)
            writer.array(resultsByTransaction) { $1.encode(to: &$0, version: version) }
            writer.omit("resultsByTopicV3AndBelow", isDefault: resultsByTopicV3AndBelow.isEmpty)
        } else {
            writer.omit("resultsByTransaction", isDefault: resultsByTransaction.isEmpty)
            writer.array(resultsByTopicV3AndBelow) { $1.encode(to: &$0, version: version) }
        }
        writer.tags()
    }
}

extension AddPartitionsToTxnResponse {
    /// The results for one transaction's partitions. Versions 4 and later.
    package struct TransactionResult: WireMessage {
        package var transactionalId: String
        package var topicResults: [TopicResult]

        package init(transactionalId: String = "", topicResults: [TopicResult] = []) {
            self.transactionalId = transactionalId
            self.topicResults = topicResults
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            transactionalId = reader.string()
            topicResults = reader.array { TopicResult(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(transactionalId)
            writer.array(topicResults) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension AddPartitionsToTxnResponse {
    /// The results for a topic's partitions.
    package struct TopicResult: WireMessage {
        package var name: String
        package var resultsByPartition: [PartitionResult]

        package init(name: String = "", resultsByPartition: [PartitionResult] = []) {
            self.name = name
            self.resultsByPartition = resultsByPartition
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            resultsByPartition = reader.array { PartitionResult(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.array(resultsByPartition) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension AddPartitionsToTxnResponse {
    /// The result for one partition.
    package struct PartitionResult: WireMessage {
        package var partitionIndex: Int32
        package var partitionErrorCode: Int16

        package init(partitionIndex: Int32 = 0, partitionErrorCode: Int16 = 0) {
            self.partitionIndex = partitionIndex
            self.partitionErrorCode = partitionErrorCode
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            partitionIndex = reader.int32()
            partitionErrorCode = reader.int16()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(partitionIndex)
            writer.int16(partitionErrorCode)
            writer.tags()
        }
    }
}
