/// An open record batch: records are written into it one after the other, in the form that they are sent in.
///
/// Memory grows by doubling, so that a record that is appended costs its bytes and no allocation of its own. The
/// builder is a value: a copy shares the memory until one of the two is appended to.
package struct RecordBatchBuilder: Sendable {
    private var storage: ByteStorage
    private let pool: BufferPool
    /// The size of the batch so far in bytes, its header among them and without compression.
    package private(set) var byteCount = RecordBatchHeader.byteCount
    package private(set) var recordCount = 0
    /// The first record's timestamp, from which the others count.
    private var baseTimestamp: Int64 = -1
    private var maxTimestamp: Int64 = -1

    /// - Parameters:
    ///   - capacity: How many bytes the batch is expected to have in all.
    ///   - pool: Where the memory for them comes from.
    package init(reserving capacity: Int = 4096, pool: BufferPool) {
        self.pool = pool
        storage = pool.take(max(capacity, RecordBatchHeader.byteCount))
    }

    package var isEmpty: Bool { recordCount == 0 }

    /// How many bytes a record takes at most.
    ///
    /// - Parameters: The sizes of key and value in bytes, 0 for null ones.
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
    /// - Throws: `MESSAGE_TOO_LARGE` where the batch would have more than 2³¹ - 1 bytes; it stays as it was.
    package mutating func append(
        key: RawSpan?, value: RawSpan?, headers: [RecordHeader] = [], timestamp: Int64
    ) throws(KafkaError) {
        let keyCount = key?.byteCount ?? -1
        let valueCount = value?.byteCount ?? -1
        let bound = Self.sizeBound(keyCount: max(keyCount, 0), valueCount: max(valueCount, 0), headers: headers)
        try reserve(bound)

        if recordCount == 0 { baseTimestamp = timestamp }
        let timestampDelta = timestamp &- baseTimestamp
        var size = 1 + Varint.size(timestampDelta) + Varint.size(Int64(recordCount))
        size += Varint.size(Int64(keyCount)) + max(keyCount, 0)
        size += Varint.size(Int64(valueCount)) + max(valueCount, 0)
        size += Varint.size(Int64(headers.count)) + Self.size(of: headers)

        // `reserve` has made room for all that is written from here on.
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
    }

    /// Appends a record whose key and value are arrays.
    @_disfavoredOverload
    package mutating func append(
        key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader] = [], timestamp: Int64
    ) throws(KafkaError) {
        // The bytes of a span are unsafe where elements have padding, which `UInt8` has not.
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

    /// Closes the batch. What it gives has no producer yet: see `EncodedRecordBatch.stamp`.
    ///
    /// - Parameter level: The codec's own compression level, or nil for its default.
    /// - Throws: `INVALID_CONFIG` for a level that the codec doesn't have, `UNSUPPORTED_COMPRESSION_TYPE`,
    ///   `MESSAGE_TOO_LARGE` if it has more than 2³¹ - 1 bytes with the codec.
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
            // Data that can't be compressed grows a little, and a batch's length has 32 bits.
            guard compressed.end <= Int(Int32.max) else {
                throw KafkaError(
                    .messageTooLarge, "A batch has \(compressed.end) bytes with \(compression), more than 2147483647.")
            }
            return EncodedRecordBatch(
                header, storage: compressed.storage, byteCount: compressed.end, uncompressedByteCount: byteCount,
                pool: pool)
        }
        return EncodedRecordBatch(
            header, storage: storage, byteCount: byteCount, uncompressedByteCount: byteCount, pool: pool)
    }

    // MARK: Memory

    /// The size of the memory that the batch holds, in bytes.
    package var capacity: Int { storage.capacity }

    /// How many bytes of memory more it takes to append a record of up to `count` bytes, as `sizeBound` has them.
    package func growth(for count: Int) -> Int {
        let needed = byteCount.addingSaturated(count)
        return needed <= storage.capacity ? 0 : max(needed, storage.capacity * 2) - storage.capacity
    }

    /// Makes room for `count` more bytes, in memory that nobody else has.
    private mutating func reserve(_ count: Int) throws(KafkaError) {
        let needed = byteCount.addingSaturated(count)
        guard needed <= Int(Int32.max) else {
            throw KafkaError(
                .messageTooLarge,
                "A record of up to \(count) bytes doesn't fit into a batch, which can have 2147483647 bytes at most.")
        }
        if needed <= storage.capacity, isKnownUniquelyReferenced(&storage) { return }
        let larger = pool.take(needed <= storage.capacity ? storage.capacity : max(needed, storage.capacity * 2))
        unsafe larger.base.copyMemory(from: storage.base, byteCount: byteCount)
        storage = larger
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

    /// Writes a length and that many bytes, or the length -1 for null.
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
    /// The sum, or `Int.max` where it doesn't fit.
    fileprivate func addingSaturated(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
