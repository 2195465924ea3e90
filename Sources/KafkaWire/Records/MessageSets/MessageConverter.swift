/// Converts messages of format 0 or 1 to the records of a batch in format 2, the only format that the rest of the
/// client reads.
struct MessageConverter {
    private(set) var header = RecordBatchHeader()
    private let storage: ByteStorage
    private var byteCount = 0

    /// - Parameters:
    ///   - messageByteCount: The total size of the messages in bytes, decompressed.
    ///   - wireByteCount: Their size in bytes as received.
    init(baseOffset: Int64, messageByteCount: Int, wireByteCount: Int, pool: BufferPool) {
        // A record is never larger than its message. Beside key and value it takes at most 32 bytes instead of 34, or
        // 23 instead of 26 in format 0, where every timestamp is -1.
        storage = pool.take(messageByteCount)
        header.baseOffset = baseOffset
        header.batchLength = Int32(wireByteCount - RecordBatchHeader.prefixByteCount)
    }

    /// - Parameters:
    ///   - set: The bytes that contain the message.
    ///   - offset: The record's offset: above the previous record's, and at most 2³¹ - 1 above the base offset.
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

        // The precondition has checked that the record fits.
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

    /// Writes the length and the bytes, or the length -1 for nil.
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

    /// Sets the batch's last offset, which may be beyond its last record.
    mutating func setLastOffset(_ offset: Int64) {
        header.lastOffsetDelta = Int32(offset - header.baseOffset)
    }

    /// Sets the broker's timestamp, in milliseconds since 1970, which replaces those of all records.
    mutating func setLogAppendTime(_ timestamp: Int64) {
        header.attributes.insert(.logAppendTime)
        header.maxTimestamp = timestamp
    }

    /// The appended records.
    var content: ByteSlice { ByteSlice(storage, 0..<byteCount) }
}
