/// Commits or aborts a transaction (KIP-98).
///
/// Request version 5 selects transaction version 2, in which the response has the producer's next epoch (KIP-890).
package struct EndTxnRequest: KafkaRequest {
    package typealias Response = EndTxnResponse
    package static let apiKey = APIKey.endTxn
    package static let versions: ClosedRange<Int16> = 0...5
    package static let firstFlexibleVersion: Int16 = 3
    /// The last version that doesn't change the producer's epoch.
    package static let lastVersionWithoutEpoch: Int16 = 4

    package var transactionalId: String
    package var producerId: Int64
    package var producerEpoch: Int16
    /// true to commit, false to abort.
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

/// The result of ending the transaction.
package struct EndTxnResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var errorCode: Int16
    /// The producer's id; a new one if the previous id's epochs are exhausted. Versions 5 and later.
    package var producerId: Int64
    /// The producer's next epoch. Versions 5 and later.
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
