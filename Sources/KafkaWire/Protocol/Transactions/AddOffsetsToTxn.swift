/// Adds a group to a transaction, before its offsets are committed in it (KIP-98).
///
/// Not needed with transaction version 2, in which TxnOffsetCommit adds the group (KIP-890).
package struct AddOffsetsToTxnRequest: KafkaRequest {
    package typealias Response = AddOffsetsToTxnResponse
    package static let apiKey = APIKey.addOffsetsToTxn
    package static let versions: ClosedRange<Int16> = 0...4
    package static let firstFlexibleVersion: Int16 = 3

    package var transactionalId: String
    package var producerId: Int64
    package var producerEpoch: Int16
    package var groupId: String

    package init(
        transactionalId: String = "", producerId: Int64 = 0, producerEpoch: Int16 = 0, groupId: String = ""
    ) {
        self.transactionalId = transactionalId
        self.producerId = producerId
        self.producerEpoch = producerEpoch
        self.groupId = groupId
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        transactionalId = reader.string()
        producerId = reader.int64()
        producerEpoch = reader.int16()
        groupId = reader.string()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.string(transactionalId)
        writer.int64(producerId)
        writer.int16(producerEpoch)
        writer.string(groupId)
        writer.tags()
    }
}

/// Whether the coordinator has added the group.
package struct AddOffsetsToTxnResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var errorCode: Int16

    package init(throttleTimeMs: Int32 = 0, errorCode: Int16 = 0) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        errorCode = reader.int16()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.int16(errorCode)
        writer.tags()
    }
}
