/// Commits or aborts a transaction (KIP-98).
///
/// At version 5 the transaction is of version 2: the answer has the epoch to go on with (KIP-890).
package struct EndTxnRequest: KafkaRequest {
    package typealias Response = EndTxnResponse
    package static let apiKey = APIKey.endTxn
    package static let versions: ClosedRange<Int16> = 0...5
    package static let firstFlexibleVersion: Int16 = 3
    /// The last version that leaves the producer its epoch.
    package static let lastVersionWithoutEpoch: Int16 = 4

    package var transactionalId: String
    package var producerId: Int64
    package var producerEpoch: Int16
    /// Whether to commit; otherwise to abort.
    package var committed: Bool

    package init(
        transactionalId: String = "", producerId: Int64 = 0, producerEpoch: Int16 = 0, committed: Bool = false
    ) {
        self.transactionalId = transactionalId
        self.producerId = producerId
        self.producerEpoch = producerEpoch
        self.committed = committed
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        transactionalId = reader.string()
        producerId = reader.int64()
        producerEpoch = reader.int16()
        committed = reader.bool()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.string(transactionalId)
        writer.int64(producerId)
        writer.int16(producerEpoch)
        writer.bool(committed)
        writer.tags()
    }
}

/// Whether the transaction has come to its end.
package struct EndTxnResponse: WireMessage {
    /// How long a quota held the request back, in milliseconds.
    package var throttleTimeMs: Int32
    package var errorCode: Int16
    /// The id to go on with, another one where the epochs of the last are used up. Versions 5 and later.
    package var producerId: Int64
    /// The epoch to go on with. Versions 5 and later.
    package var producerEpoch: Int16

    package init(
        throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, producerId: Int64 = -1, producerEpoch: Int16 = -1
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.producerId = producerId
        self.producerEpoch = producerEpoch
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        errorCode = reader.int16()
        if version >= 5 {
            producerId = reader.int64()
            producerEpoch = reader.int16()
        }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.int16(errorCode)
        if version >= 5 {
            writer.int64(producerId)
            writer.int16(producerEpoch)
        }
        writer.tags()
    }
}
