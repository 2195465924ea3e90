/// Writes messages of format 0 or 1 as the records of a batch of format 2, so that everything behind it has one format
/// to know.
struct MessageConverter {
    private(set) var header = RecordBatchHeader()
    private let storage: ByteStorage
    private var byteCount = 0

    /// - Parameters:
    ///   - messageByteCount: How many bytes all of the messages have.
    ///   - wireByteCount: How many bytes they came in.
    init(baseOffset: Int64, messageByteCount: Int, wireByteCount: Int, pool: BufferPool) {
        // A record is never larger than its message: 32 bytes at most beside key and value instead of 34, or 23 instead
        // of 26 in format 0, whose timestamps all are -1.
        storage = pool.take(messageByteCount)
        header.baseOffset = baseOffset
        header.batchLength = Int32(wireByteCount - RecordBatchHeader.prefixByteCount)
    }

    /// - Parameters:
    ///   - set: What the message lies in.
    ///   - offset: The record's offset: above those before it, and at most 2³¹ - 1 from the base offset.
    mutating func append(_ message: LegacyMessage, in set: RawSpan, offset: Int64) {
        if header.recordCount == 0 { header.baseTimestamp = message.timestamp }
        let timestampDelta = message.timestamp &- header.baseTimestamp
        let offsetDelta = offset - header.baseOffset
        let keyCount = message.key?.count ?? -1
        let valueCount = message.value?.count ?? -1
        let size =
            1 + Varint.size(timestampDelta) + Varint.size(offsetDelta) + Varint.size(Int64(keyCount))
            + max(keyCount, 0) + Varint.size(Int64(valueCount)) + max(valueCount, 0) + 1
        precondition(size + 5 <= storage.capacity - byteCount)

        // The precondition has seen that all of it fits.
        var target = unsafe storage.base + byteCount
        unsafe target = Varint.store(Int64(size), at: target)
        unsafe target.storeBytes(of: 0, as: UInt8.self)
        unsafe target = Varint.store(timestampDelta, at: target + 1)
        unsafe target = Varint.store(offsetDelta, at: target)
        unsafe target = Self.store(message.key, of: set, at: target)
        unsafe target = Self.store(message.value, of: set, at: target)
        unsafe target = Varint.store(0, at: target)
        byteCount = unsafe target - storage.base
        header.recordCount += 1
        header.lastOffsetDelta = Int32(offsetDelta)
        header.maxTimestamp = max(header.maxTimestamp, message.timestamp)
    }

    /// Writes a length and that many bytes, or the length -1 for null.
    private static func store(
        _ field: Range<Int>?, of set: RawSpan, at target: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        let start = unsafe Varint.store(Int64(field?.count ?? -1), at: target)
        guard let field else { return unsafe start }
        unsafe set.extracting(field).withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: start, count: source.count).copyMemory(from: source)
        }
        return unsafe start + field.count
    }

    /// Moves the batch's end to an offset behind its last record.
    mutating func setLastOffset(_ offset: Int64) {
        header.lastOffsetDelta = Int32(offset - header.baseOffset)
    }

    /// Says that the broker's time counts.
    mutating func setLogAppendTime(_ timestamp: Int64) {
        header.attributes.insert(.logAppendTime)
        header.maxTimestamp = timestamp
    }

    /// The records that were appended.
    var content: ByteSlice { ByteSlice(storage, 0..<byteCount) }
}
