/// A finished record batch, ready to be stamped with its producer's fields and sent.
package struct EncodedRecordBatch: Sendable {
    private var header: RecordBatchHeader
    private var storage: ByteStorage
    private let pool: BufferPool
    /// The batch's size in bytes as sent, compressed.
    package let byteCount: Int
    /// The batch's size in bytes without compression.
    package let uncompressedByteCount: Int

    package var recordCount: Int { Int(header.recordCount) }

    /// - Parameter storage: The batch's `byteCount` bytes; `stamp` writes the header's.
    init(
        _ header: RecordBatchHeader, storage: ByteStorage, byteCount: Int, uncompressedByteCount: Int,
        pool: BufferPool
    ) {
        self.header = header
        self.header.batchLength = Int32(byteCount - RecordBatchHeader.prefixByteCount)
        self.storage = storage
        self.byteCount = byteCount
        self.uncompressedByteCount = uncompressedByteCount
        self.pool = pool
    }

    /// Writes the producer's fields and the checksum into the batch.
    ///
    /// Stamp a batch again if its producer id or sequence number changes. If an unsent request still holds the bytes of
    /// an earlier stamp, this stamps a copy.
    ///
    /// - Parameters:
    ///   - producerID: -1 for a producer that isn't idempotent, as are `producerEpoch` and `baseSequence`.
    ///   - offset: The first record's offset. A broker overwrites it when it appends the batch.
    /// - Returns: The bytes for a `ProduceRequest`.
    package mutating func stamp(
        producerID: Int64 = -1, producerEpoch: Int16 = -1, baseSequence: Int32 = -1, isTransactional: Bool = false,
        offset: Int64 = 0
    ) -> ByteSlice {
        header.baseOffset = offset
        header.producerID = producerID
        header.producerEpoch = producerEpoch
        header.baseSequence = baseSequence
        if isTransactional {
            header.attributes.insert(.transactional)
        } else {
            header.attributes.remove(.transactional)
        }
        if !isKnownUniquelyReferenced(&storage) {
            let copy = pool.take(byteCount)
            unsafe copy.base.copyMemory(from: storage.base, byteCount: byteCount)
            storage = copy
        }
        unsafe header.store(at: storage.base)
        let bytes = ByteSlice(storage, 0..<byteCount)
        // The checksum doesn't cover its own field.
        header.crc = CRC32C.checksum(bytes.span.extracting(RecordBatchHeader.checkedFrom...))
        unsafe storage.base.storeBytes(of: header.crc.bigEndian, toByteOffset: 17, as: UInt32.self)
        return bytes
    }
}
