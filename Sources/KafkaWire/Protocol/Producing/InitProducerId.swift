/// Requests the id and epoch that an idempotent or transactional producer writes into its batches (KIP-98, KIP-360).
package struct InitProducerIdRequest: KafkaRequest {
    package typealias Response = InitProducerIdResponse
    package static let apiKey = APIKey.initProducerID
    package static let versions: ClosedRange<Int16> = 0...5
    package static let firstFlexibleVersion: Int16 = 2

    /// Null if the producer isn't transactional.
    package var transactionalId: String?
    /// The time in milliseconds after which the coordinator aborts an open transaction.
    package var transactionTimeoutMs: Int32
    /// The current producer id, whose epoch is to be increased; -1 to request a new id. Versions 3 and later.
    package var producerId: Int64
    /// The current epoch of `producerId`; -1 if `producerId` is -1. Versions 3 and later.
    package var producerEpoch: Int16

    package init(
        transactionalId: String? = nil, transactionTimeoutMs: Int32 = 0, producerId: Int64 = -1,
        producerEpoch: Int16 = -1
    ) {
        self.transactionalId = transactionalId
        self.transactionTimeoutMs = transactionTimeoutMs
        self.producerId = producerId
        self.producerEpoch = producerEpoch
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        transactionalId = reader.nullableString()
        transactionTimeoutMs = reader.int32()
        if version >= 3 {
            producerId = reader.int64()
            producerEpoch = reader.int16()
        }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.nullableString(transactionalId)
        writer.int32(transactionTimeoutMs)
        if version >= 3 {
            writer.int64(producerId)
            writer.int16(producerEpoch)
        } else {
            writer.omit("producerId", isDefault: producerId == -1)
            writer.omit("producerEpoch", isDefault: producerEpoch == -1)
        }
        writer.tags()
    }
}

/// The producer's id and epoch.
package struct InitProducerIdResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var errorCode: Int16
    package var producerId: Int64
    package var producerEpoch: Int16

    package init(
        throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, producerId: Int64 = -1, producerEpoch: Int16 = 0
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
        producerId = reader.int64()
        producerEpoch = reader.int16()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.int16(errorCode)
        writer.int64(producerId)
        writer.int16(producerEpoch)
        writer.tags()
    }
}
