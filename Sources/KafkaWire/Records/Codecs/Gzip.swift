import CZlib

/// gzip by zlib (RFC 1952).
enum Gzip {
    /// No deflate stream inflates to more than this many times its size.
    private static let maximumRatio = 1032
    private static let smallestBuffer = 4 << 10

    private static let inflaters = ContextPool<GzipInflater>()
    private static let deflaters = ContextPool<GzipDeflater>()

    /// - Throws: `CORRUPT_MESSAGE` where `bytes` isn't one or more whole gzip members, `RECORD_LIST_TOO_LARGE` where
    ///   they inflate to more than `limit` bytes.
    static func decompress(_ bytes: ByteSlice, limit: Int, pool: BufferPool) throws(KafkaError) -> ByteSlice {
        guard let inflater = inflaters.take() ?? GzipInflater() else {
            throw Compression.gzip.corrupt("zlib can't get the memory for it")
        }
        defer {
            unsafe inflater.stream.forgetBuffers()
            inflaters.giveBack(inflater)
        }
        let z = unsafe inflater.stream
        guard unsafe inflateReset(z) == Z_OK else { throw Compression.gzip.corrupt("zlib can't begin") }
        // One byte beyond what is allowed tells too much from just enough.
        let limit = limit + 1
        return try unsafe bytes.withUnsafeBytes { input throws(KafkaError) in
            unsafe z.setInput(input)
            var storage = pool.take(firstCapacity(bytes, limit: limit))
            var filled = 0
            while true {
                let room = unsafe z.setOutput(storage.base + filled, min(storage.capacity, limit) - filled)
                let status = unsafe CZlib.inflate(z, Z_NO_FLUSH)
                filled += room - Int(unsafe z.pointee.avail_out)
                guard filled < limit else { throw Compression.tooLarge(limit - 1) }
                switch status {
                case Z_STREAM_END where unsafe z.pointee.avail_in == 0:
                    return ByteSlice(storage, 0..<filled)
                case Z_STREAM_END:
                    // Another member follows.
                    guard unsafe inflateReset(z) == Z_OK else {
                        throw Compression.gzip.corrupt("zlib can't begin another member")
                    }
                case Z_OK, Z_BUF_ERROR:
                    if unsafe z.pointee.avail_out > 0 { throw Compression.gzip.corrupt("it ends too early") }
                    storage = grown(storage, filled: filled, limit: limit, pool: pool)
                default:
                    let reason = unsafe z.pointee.msg.map { unsafe String(cString: $0) }
                    throw Compression.gzip.corrupt(reason ?? "zlib status \(status)")
                }
            }
        }
    }

    /// A guess at the inflated size, by what the last member's end says of it: that isn't believed beyond what
    /// so many bytes can inflate to.
    private static func firstCapacity(_ bytes: ByteSlice, limit: Int) -> Int {
        var stated = 0
        if bytes.count >= 4 {
            // gzip is little-endian.
            stated = Int(bytes.span.littleEndian(at: bytes.count - 4, as: UInt32.self))
        }
        // One byte more, so that zlib sees the end without another buffer.
        return max(min(stated + 1, limit, bytes.count * maximumRatio), smallestBuffer)
    }

    private static func grown(_ storage: ByteStorage, filled: Int, limit: Int, pool: BufferPool) -> ByteStorage {
        let larger = pool.take(min(storage.capacity * 2, limit))
        unsafe larger.base.copyMemory(from: storage.base, byteCount: filled)
        return larger
    }

    /// - Parameter level: 1...9, or nil for zlib's default.
    /// - Returns: Memory that holds one gzip member from `reserved` on, and where it ends.
    static func compress(
        _ bytes: RawSpan, level: Int?, reserved: Int, pool: BufferPool
    ) throws(KafkaError) -> (storage: ByteStorage, end: Int) {
        let level = level.map { Int32($0) } ?? Z_DEFAULT_COMPRESSION
        // A stream keeps its level. `deflateParams` would change it, but zlib 1.2.11 then writes to where the output
        // of the previous batch went.
        let idle = deflaters.take().flatMap { $0.level == level ? $0 : nil }
        guard let deflater = idle ?? GzipDeflater(level: level) else {
            throw Compression.gzip.failed("zlib can't get the memory for it")
        }
        defer {
            unsafe deflater.stream.forgetBuffers()
            deflaters.giveBack(deflater)
        }
        let z = unsafe deflater.stream
        guard unsafe deflateReset(z) == Z_OK else { throw Compression.gzip.failed("zlib can't begin") }
        let bound = unsafe Int(deflateBound(z, UInt(bytes.byteCount)))
        let storage = pool.take(reserved + bound)
        let result = unsafe bytes.withUnsafeBytes { input in
            unsafe z.setInput(input)
            _ = unsafe z.setOutput(storage.base + reserved, bound)
            return unsafe CZlib.deflate(z, Z_FINISH)
        }
        guard result == Z_STREAM_END else { throw Compression.gzip.failed("zlib status \(result)") }
        return (storage, reserved + Int(unsafe z.pointee.total_out))
    }
}

// @unchecked for both: a stream is used by whoever took it out of its pool, and by nobody else until it is back.

/// A stream that reads gzip.
@safe private final class GzipInflater: @unchecked Sendable {
    /// At an address that stays: zlib keeps a pointer to it.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    /// - Returns: nil where there is no memory for it.
    init?() {
        unsafe stream.initialize(to: z_stream())
        // 15 for the largest window, and 32 for a header of either gzip or zlib.
        let status = unsafe inflateInit2_(stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { return nil }
    }

    deinit {
        // Ending a stream that could not be begun does nothing.
        _ = unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }
}

/// A stream that writes gzip.
@safe private final class GzipDeflater: @unchecked Sendable {
    /// At an address that stays: zlib keeps a pointer to it.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    /// The compression level, from 1 to 9, or -1 for zlib's default.
    let level: Int32

    /// - Returns: nil if there is no memory for it.
    init?(level: Int32) {
        self.level = level
        unsafe stream.initialize(to: z_stream())
        // 15 for the largest window, and 16 for a gzip header; 8 is zlib's default for its memory.
        let status = unsafe deflateInit2_(
            stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { return nil }
    }

    deinit {
        // As above.
        _ = unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }
}

extension UnsafeMutablePointer where Pointee == z_stream {
    /// Clears the pointers to input and output, whose memory may have another owner before the stream is used again.
    fileprivate func forgetBuffers() {
        unsafe pointee.next_in = nil
        unsafe pointee.avail_in = 0
        unsafe pointee.next_out = nil
        unsafe pointee.avail_out = 0
    }

    fileprivate func setInput(_ input: UnsafeRawBufferPointer) {
        // zlib doesn't write there; its field isn't const for old programs' sake.
        unsafe pointee.next_in = UnsafeMutablePointer<UInt8>(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe pointee.avail_in = UInt32(clamping: input.count)
    }

    /// - Returns: How many bytes zlib was offered.
    fileprivate func setOutput(_ output: UnsafeMutableRawPointer, _ count: Int) -> Int {
        unsafe pointee.next_out = output.assumingMemoryBound(to: UInt8.self)
        unsafe pointee.avail_out = UInt32(clamping: count)
        return Int(unsafe pointee.avail_out)
    }
}
