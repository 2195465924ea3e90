/// Writes record batches. The broker sends no response if `acks` is 0.
package struct ProduceRequest: KafkaRequest {
    package typealias Response = ProduceResponse
    package static let apiKey = APIKey.produce
    package static let versions: ClosedRange<Int16> = 3...13
    package static let firstFlexibleVersion: Int16 = 9

    /// Null if the producer isn't transactional.
    package var transactionalId: String?
    /// The required acknowledgements: 0 for none, 1 for the leader's, -1 for those of all in-sync replicas.
    package var acks: Int16
    /// How long the broker may wait for replicas, in milliseconds.
    package var timeoutMs: Int32
    package var topicData: [TopicData]

    package init(
        transactionalId: String? = nil, acks: Int16 = 0, timeoutMs: Int32 = 0, topicData: [TopicData] = []
    ) {
        self.transactionalId = transactionalId
        self.acks = acks
        self.timeoutMs = timeoutMs
        self.topicData = topicData
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        transactionalId = reader.nullableString()
        acks = reader.int16()
        timeoutMs = reader.int32()
        topicData = reader.array { TopicData(from: &$0, version: version) }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.nullableString(transactionalId)
        writer.int16(acks)
        writer.int32(timeoutMs)
        writer.array(topicData) { $1.encode(to: &$0, version: version) }
        writer.tags()
    }
}

extension ProduceRequest {
    /// A topic, identified by name or, from version 13 on, by id (KIP-516).
    package struct TopicData: WireMessage {
        /// Versions up to 12.
        package var name: String
        /// Versions 13 and later.
        package var topicId: KafkaUUID
        package var partitionData: [PartitionData]

        package init(name: String = "", topicId: KafkaUUID = .zero, partitionData: [PartitionData] = []) {
            self.name = name
            self.topicId = topicId
            self.partitionData = partitionData
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            if version <= 12 { name = reader.string() }
            if version >= 13 { topicId = reader.uuid() }
            partitionData = reader.array { PartitionData(from: &$0, version: version) }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            if version <= 12 { writer.string(name) }
            if version >= 13 { writer.uuid(topicId) }
            writer.array(partitionData) { $1.encode(to: &$0, version: version) }
            writer.tags()
        }
    }
}

extension ProduceRequest {
    /// A partition, and the batch to write to it.
    package struct PartitionData: WireMessage {
        package var index: Int32
        /// One record batch.
        package var records: ByteSlice?

        package init(index: Int32 = 0, records: ByteSlice? = nil) {
            self.index = index
            self.records = records
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            index = reader.int32()
            records = reader.nullableBytes()
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(index)
            writer.nullableBytes(records)
            writer.tags()
        }
    }
}
