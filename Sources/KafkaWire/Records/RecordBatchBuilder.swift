/// An open record batch: encodes records in their wire format as they are appended.
///
/// The memory doubles when it is full, so appending a record doesn't allocate by itself. The builder is a value: a copy
/// shares the memory until either of the two is appended to.
package struct RecordBatchBuilder: Sendable {
    private var storage: ByteStorage
    private let pool: BufferPool
    /// The batch's current size in bytes, uncompressed, including its header.
    package private(set) var byteCount = RecordBatchHeader.byteCount
    package private(set) var recordCount = 0
    /// The first record's timestamp, the base of the others.
    private var baseTimestamp: Int64 = -1
    private var maxTimestamp: Int64 = -1

    /// - Parameters:
    ///   - capacity: The expected size of the batch in bytes, including its header.
    ///   - pool: The pool to take memory from.
    package init(reserving capacity: Int = 4096, pool: BufferPool) {
        self.pool = pool
        storage = pool.take(max(capacity, RecordBatchHeader.byteCount))
    }

    package var isEmpty: Bool { recordCount == 0 }

    /// The largest encoded size of a record in bytes.
    ///
    /// - Parameters:
    ///   - keyCount: The key's size in bytes; 0 for null.
    ///   - valueCount: The value's size in bytes; 0 for null.
    package static func sizeBound(keyCount: Int, valueCount: Int, headers: [RecordHeader] = []) -> Int {
        // Length, attributes, timestamp, offset, lengths of key and value, number of headers.
        var size = 5 + 1 + 10 + 5 + 5 + 5 + 5
        size = size.addingSaturated(keyCount).addingSaturated(valueCount)
        for header in headers {
            size = size.addingSaturated(10 + header.name.utf8.count).addingSaturated(header.value?.count ?? 0)
        }
        return size
    }

    /// Appends a record.
    ///
    /// - Parameter timestamp: Milliseconds since 1970.
    /// - Returns: The record's index in the batch, and the number of bytes by which the batch's memory has grown.
    /// - Throws: `MESSAGE_TOO_LARGE` if the batch would exceed 2³¹ - 1 bytes; the batch is then unchanged.
    @discardableResult
    package mutating func append(
        key: RawSpan?, value: RawSpan?, headers: [RecordHeader] = [], timestamp: Int64
    ) throws(KafkaError) -> (index: Int, growth: Int) {
        let keyCount = key?.byteCount ?? -1
        let valueCount = value?.byteCount ?? -1
        let bound = Self.sizeBound(keyCount: max(keyCount, 0), valueCount: max(valueCount, 0), headers: headers)
        let growth = try reserve(bound)

        if recordCount == 0 { baseTimestamp = timestamp }
        let timestampDelta = timestamp &- baseTimestamp
        var size = 1 + Varint.size(timestampDelta) + Varint.size(Int64(recordCount))
        size += Varint.size(Int64(keyCount)) + max(keyCount, 0)
        size += Varint.size(Int64(valueCount)) + max(valueCount, 0)
        size += Varint.size(Int64(headers.count)) + Self.size(of: headers)

        // `reserve` has made room for everything written below.
        var target = unsafe storage.base + byteCount
        unsafe target = Varint.store(Int64(size), at: target)
        unsafe target.storeBytes(of: 0, as: UInt8.self)
        unsafe target = Varint.store(timestampDelta, at: target + 1)
        unsafe target = Varint.store(Int64(recordCount), at: target)
        unsafe target = Self.store(key, at: target)
        unsafe target = Self.store(value, at: target)
        unsafe target = Varint.store(Int64(headers.count), at: target)
        for header in headers {
            unsafe target = Self.store(header.name.utf8Span.span.bytes, at: target)
            if let value = header.value {
                unsafe target = Self.store(value.span.bytes, at: target)
            } else {
                unsafe target = Varint.store(-1, at: target)
            }
        }
        byteCount = unsafe target - storage.base
        recordCount += 1
        maxTimestamp = max(maxTimestamp, timestamp)
        return (recordCount - 1, growth)
    }

    /// Appends a record whose key and value are arrays.
    @_disfavoredOverload
    package mutating func append(
        key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader] = [], timestamp: Int64
    ) throws(KafkaError) {
        // Reading a span's bytes is unsafe only if its elements have padding; `UInt8` has none.
        switch (key, value) {
        case (let key?, let value?):
            try unsafe append(key: key.span.bytes, value: value.span.bytes, headers: headers, timestamp: timestamp)
        case (let key?, nil):
            try unsafe append(key: key.span.bytes, value: nil, headers: headers, timestamp: timestamp)
        case (nil, let value?):
            try unsafe append(key: nil, value: value.span.bytes, headers: headers, timestamp: timestamp)
        case (nil, nil):
            try append(key: nil, value: nil, headers: headers, timestamp: timestamp)
        }
    }

    /// Closes the batch.
    ///
    /// The result has no producer fields yet; see `EncodedRecordBatch.stamp`.
    ///
    /// - Parameter level: The compression level on the codec's own scale; nil for its default.
    /// - Throws: `INVALID_CONFIG` for a level out of range, `UNSUPPORTED_COMPRESSION_TYPE`, `MESSAGE_TOO_LARGE` if the
    ///   compressed batch exceeds 2³¹ - 1 bytes.
    package consuming func finish(
        compression: Compression = .none, level: Int? = nil
    ) throws(KafkaError) -> EncodedRecordBatch {
        var header = RecordBatchHeader()
        header.attributes = RecordBatchHeader.Attributes(rawValue: Int16(compression.rawValue))
        header.lastOffsetDelta = Int32(max(recordCount - 1, 0))
        header.baseTimestamp = baseTimestamp
        header.maxTimestamp = maxTimestamp
        header.recordCount = Int32(recordCount)
        let records = ByteSlice(storage, RecordBatchHeader.byteCount..<byteCount)
        let compressed = try compression.compress(
            records.span, level: level, reserved: RecordBatchHeader.byteCount, pool: pool)
        if let compressed {
            // Incompressible data grows slightly, and a batch's length has 32 bits.
            guard compressed.end <= Int(Int32.max) else {
                throw KafkaError(
                    .messageTooLarge,
                    "the batch has \(compressed.end) bytes with \(compression), more than the limit of 2147483647")
            }
            return EncodedRecordBatch(
                header, storage: compressed.storage, byteCount: compressed.end, uncompressedByteCount: byteCount,
                pool: pool)
        }
        return EncodedRecordBatch(
            header, storage: storage, byteCount: byteCount, uncompressedByteCount: byteCount, pool: pool)
    }

    // MARK: Memory

    /// The size of the batch's memory in bytes.
    package var capacity: Int { storage.capacity }

    /// The number of bytes by which the memory would grow to append a record of up to `count` bytes (see `sizeBound`).
    package func growth(for count: Int) -> Int {
        let needed = byteCount.addingSaturated(count)
        return needed <= storage.capacity ? 0 : max(needed, storage.capacity * 2) - storage.capacity
    }

    /// Makes room for `count` more bytes in memory that no copy of the builder shares.
    ///
    /// - Returns: The number of bytes by which the memory has grown.
    private mutating func reserve(_ count: Int) throws(KafkaError) -> Int {
        let needed = byteCount.addingSaturated(count)
        guard needed <= Int(Int32.max) else {
            throw KafkaError(
                .messageTooLarge,
                "a record of up to \(count) bytes does not fit into its batch, whose limit is 2147483647 bytes")
        }
        if needed <= storage.capacity, isKnownUniquelyReferenced(&storage) { return 0 }
        let larger = pool.take(needed <= storage.capacity ? storage.capacity : max(needed, storage.capacity * 2))
        unsafe larger.base.copyMemory(from: storage.base, byteCount: byteCount)
        let growth = larger.capacity - storage.capacity
        storage = larger
        return growth
    }

    private static func size(of headers: [RecordHeader]) -> Int {
        var size = 0
        for header in headers {
            let nameCount = header.name.utf8.count
            let valueCount = header.value?.count ?? -1
            size += Varint.size(Int64(nameCount)) + nameCount
            size += Varint.size(Int64(valueCount)) + max(valueCount, 0)
        }
        return size
    }

    /// Writes the length and the bytes, or the length -1 for nil.
    @inline(__always)
    private static func store(_ bytes: RawSpan?, at target: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        guard let bytes else { return unsafe Varint.store(-1, at: target) }
        let start = unsafe Varint.store(Int64(bytes.byteCount), at: target)
        unsafe bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { unsafe start.copyMemory(from: base, byteCount: source.count) }
        }
        return unsafe start + bytes.byteCount
    }
}

extension Int {
    /// The sum, or `Int.max` if it overflows.
    fileprivate func addingSaturated(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
