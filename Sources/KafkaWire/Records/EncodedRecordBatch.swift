/// A closed record batch, ready to be stamped and sent.
package struct EncodedRecordBatch: Sendable {
    private var header: RecordBatchHeader
    private var storage: ByteStorage
    private let pool: BufferPool
    /// The batch's size in bytes, as it is sent.
    package let byteCount: Int
    /// The batch's size in bytes without compression.
    package let uncompressedByteCount: Int

    package var recordCount: Int { Int(header.recordCount) }

    /// - Parameter storage: Holds `byteCount` bytes; those of the header are written by `stamp`.
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
    /// A batch can be stamped again, for a producer id or sequence that has changed since. As long as somebody still
    /// holds the bytes of an earlier stamp (a request that isn't gone yet), that is done in a copy.
    ///
    /// - Parameters:
    ///   - producerID: This, `producerEpoch` and `baseSequence` are -1 for a producer that isn't idempotent.
    ///   - offset: Of the first record. A broker gives a batch its offsets, whatever stands there.
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
        // The checksum isn't part of what it is taken of.
        header.crc = CRC32C.checksum(bytes.span.extracting(RecordBatchHeader.checkedFrom...))
        unsafe storage.base.storeBytes(of: header.crc.bigEndian, toByteOffset: 17, as: UInt32.self)
        return bytes
    }
}
