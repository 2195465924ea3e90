import CZlib

/// gzip by zlib (RFC 1952).
enum Gzip {
    /// No deflate stream inflates to more than this many times its size.
    private static let maximumRatio = 1032
    private static let smallestBuffer = 4 << 10

    /// A stream at an address that stays: zlib keeps a pointer to it.
    private static func makeStream() -> UnsafeMutablePointer<z_stream> {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        return unsafe stream
    }

    /// - Throws: `CORRUPT_MESSAGE` where `bytes` isn't one or more whole gzip members, `RECORD_LIST_TOO_LARGE` where
    ///   they inflate to more than `maximumBytes`.
    static func inflate(_ bytes: ByteSlice, maximumBytes: Int, pool: BufferPool) throws(KafkaError) -> ByteSlice {
        let z = unsafe makeStream()
        // Ending a stream that could not be begun does nothing.
        defer {
            _ = unsafe inflateEnd(z)
            unsafe z.deallocate()
        }
        // 15 for the largest window, and 32 for a header of either gzip or zlib.
        guard unsafe inflateInit2_(z, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw KafkaError(.unknownServerError, "zlib can't get the memory to inflate a record batch.")
        }
        // One byte beyond what is allowed tells too much from just enough.
        let limit = min(maximumBytes, Int(Int32.max)) + 1
        return try unsafe bytes.withUnsafeBytes { input throws(KafkaError) in
            unsafe setInput(z, input)
            var storage = pool.take(firstCapacity(bytes, limit: limit))
            var filled = 0
            while true {
                let room = unsafe setOutput(z, storage.base + filled, min(storage.capacity, limit) - filled)
                let status = unsafe CZlib.inflate(z, Z_NO_FLUSH)
                filled += room - Int(unsafe z.pointee.avail_out)
                guard filled < limit else {
                    throw KafkaError(
                        .recordListTooLarge,
                        "A record batch inflates to more than \(limit - 1) bytes, the largest size allowed for one.")
                }
                switch status {
                case Z_STREAM_END where unsafe z.pointee.avail_in == 0:
                    return ByteSlice(storage, 0..<filled)
                case Z_STREAM_END:
                    // Another member follows.
                    guard unsafe inflateReset(z) == Z_OK else { throw corrupt("zlib can't begin another member") }
                case Z_OK, Z_BUF_ERROR:
                    if unsafe z.pointee.avail_out > 0 { throw corrupt("it ends too early") }
                    storage = grown(storage, filled: filled, limit: limit, pool: pool)
                default:
                    throw corrupt(unsafe z.pointee.msg.map { unsafe String(cString: $0) } ?? "zlib status \(status)")
                }
            }
        }
    }

    private static func setInput(_ z: UnsafeMutablePointer<z_stream>, _ input: UnsafeRawBufferPointer) {
        // zlib doesn't write there; its field isn't const for old programs' sake.
        unsafe z.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe z.pointee.avail_in = UInt32(clamping: input.count)
    }

    /// - Returns: How many bytes zlib was offered.
    private static func setOutput(
        _ z: UnsafeMutablePointer<z_stream>, _ output: UnsafeMutableRawPointer, _ count: Int
    ) -> Int {
        unsafe z.pointee.next_out = output.assumingMemoryBound(to: UInt8.self)
        unsafe z.pointee.avail_out = UInt32(clamping: count)
        return Int(unsafe z.pointee.avail_out)
    }

    /// A guess at the inflated size, by what the last member's end says of it: that isn't believed beyond what
    /// so many bytes can inflate to.
    private static func firstCapacity(_ bytes: ByteSlice, limit: Int) -> Int {
        var stated = 0
        if bytes.count >= 4 {
            // gzip is little-endian.
            stated = Int(bytes.span.bigEndian(at: bytes.count - 4, as: UInt32.self).byteSwapped)
        }
        // One byte more, so that zlib sees the end without another buffer.
        return max(min(stated + 1, limit, bytes.count * maximumRatio), smallestBuffer)
    }

    private static func grown(_ storage: ByteStorage, filled: Int, limit: Int, pool: BufferPool) -> ByteStorage {
        let larger = pool.take(min(storage.capacity * 2, limit))
        unsafe larger.base.copyMemory(from: storage.base, byteCount: filled)
        return larger
    }

    private static func corrupt(_ reason: String) -> KafkaError {
        KafkaError(.corruptMessage, "A record batch's gzip data can't be inflated: \(reason).")
    }

    /// - Returns: Memory that holds one gzip member from `reserved` on, and where it ends.
    /// - Throws: `INVALID_CONFIG` for a level outside 1...9 (nil for zlib's default).
    static func deflate(
        _ bytes: RawSpan, level: Int?, reserved: Int, pool: BufferPool
    ) throws(KafkaError) -> (storage: ByteStorage, end: Int) {
        if let level, !(1...9).contains(level) {
            throw KafkaError(.invalidConfig, "The compression level of gzip is \(level); it has to be from 1 to 9.")
        }
        let level = level.map { Int32($0) } ?? Z_DEFAULT_COMPRESSION
        let z = unsafe makeStream()
        // Ending a stream that could not be begun does nothing.
        defer {
            _ = unsafe deflateEnd(z)
            unsafe z.deallocate()
        }
        // 15 for the largest window, and 16 for a gzip header; 8 is zlib's default for its memory.
        let status = unsafe deflateInit2_(
            z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            throw KafkaError(.unknownServerError, "zlib can't get the memory to compress a record batch.")
        }
        let bound = unsafe Int(deflateBound(z, UInt(bytes.byteCount)))
        let storage = pool.take(reserved + bound)
        let result = unsafe bytes.withUnsafeBytes { input in
            unsafe setInput(z, input)
            _ = unsafe setOutput(z, storage.base + reserved, bound)
            return unsafe CZlib.deflate(z, Z_FINISH)
        }
        guard result == Z_STREAM_END else {
            throw KafkaError(.unknownServerError, "zlib can't compress a record batch (status \(result)).")
        }
        return (storage, reserved + Int(unsafe z.pointee.total_out))
    }
}
