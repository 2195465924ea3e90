/// Adds partitions to a transaction, before records are written to them (KIP-98).
///
/// Clients use versions up to 3, with one transaction per request. Later versions are for brokers: they have several
/// transactions, and `verifyOnly` only checks whether the partitions have been added (KIP-890).
package struct AddPartitionsToTxnRequest: KafkaRequest {
    package typealias Response = AddPartitionsToTxnResponse
    package static let apiKey = APIKey.addPartitionsToTxn
    package static let versions: ClosedRange<Int16> = 0...5
    package static let firstFlexibleVersion: Int16 = 3
    /// The last version for clients.
    package static let lastClientVersion: Int16 = 3

    /// Versions 4 and later.
    package var transactions: [Transaction]
    /// Versions up to 3, as are the next three fields.
    package var v3AndBelowTransactionalId: String
    package var v3AndBelowProducerId: Int64
    package var v3AndBelowProducerEpoch: Int16
    package var v3AndBelowTopics: [Topic]

    package init(
        transactions: [Transaction] = [], v3AndBelowTransactionalId: String = "", v3AndBelowProducerId: Int64 = 0,
        v3AndBelowProducerEpoch: Int16 = 0, v3AndBelowTopics: [Topic] = []
    ) {
        self.transactions = transactions
        self.v3AndBelowTransactionalId = v3AndBelowTransactionalId
        self.v3AndBelowProducerId = v3AndBelowProducerId
        self.v3AndBelowProducerEpoch = v3AndBelowProducerEpoch
        self.v3AndBelowTopics = v3AndBelowTopics
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        if version >= 4 {
            transactions = reader.array { Transaction(from: &$0, version: version) }
        } else {
            v3AndBelowTransactionalId = reader.string()
            v3AndBelowProducerId = reader.int64()
            v3AndBelowProducerEpoch = reader.int16()
            v3AndBelowTopics = reader.array { Topic(from: &$0, version: version) }
        }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        if version >= 4 {
            writer.array(transactions) { $1.encode(to: &$0, version: version) }
            writer.omit("v3AndBelowTransactionalId", isDefault: v3AndBelowTransactionalId.isEmpty)
            writer.omit("v3AndBelowProducerId", isDefault: v3AndBelowProducerId == 0)
            writer.omit("v3AndBelowProducerEpoch", isDefault: v3AndBelowProducerEpoch == 0)
            writer.omit("v3AndBelowTopics", isDefault: v3AndBelowTopics.isEmpty)
        } else {
            writer.omit("transactions", isDefault: transactions.isEmpty)
            writer.string(v3AndBelowTransactionalId)
            writer.int64(v3AndBelowProducerId)
            writer.int16(v3AndBelowProducerEpoch)
            writer.array(v3AndBelowTopics) { $1.encode(to: &$0, version: version) }
        }
        writer.tags()
    }
}

extension AddPartitionsToTxnRequest {
    /// A transaction in a broker's request. Versions 4 and later.
    package struct Transaction: WireMessage {
        package var transactionalId: String
        package var producerId: Int64
        package var producerEpoch: Int16
        /// Whether to only check that the partitions are in the transaction, without adding them.
        package var verifyOnly: Bool
        package var topics: [Topic]

        package init(
            transactionalId: String = "", producerId: Int64 = 0, producerEpoch: Int16 = 0, verifyOnly: Bool = false,
            topics: [Topic] = []
        ) {
            self.transactionalId = transactionalId
            self.producerId = producerId
            self.producerEpoch = producerEpoch
            self.verifyOnly = verifyOnly
            self.topics = topics
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            transactionalId = reader.string()
            producerId = reader.int64()
            producerEpoch = reader.int16()
            verifyOnly = reader.bool()
            topics = reader.array { Topic(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(transactionalId)
            writer.int64(producerId)
            writer.int16(producerEpoch)
            writer.bool(verifyOnly)
            writer.array(topics) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension AddPartitionsToTxnRequest {
    /// A topic and its partitions.
    package struct Topic: WireMessage {
        package var name: String
        package var partitions: [Int32]

        package init(name: String = "", partitions: [Int32] = []) {
            self.name = name
            self.partitions = partitions
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            name = reader.string()
            partitions = reader.array { $0.int32() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.string(name)
            writer.array(partitions) { $0.int32($1) }
            writer.tags()
        }
    }
}
