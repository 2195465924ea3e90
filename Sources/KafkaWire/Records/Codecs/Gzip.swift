import CZlib

/// gzip with zlib (RFC 1952).
enum Gzip {
    /// The largest ratio of inflated size to compressed size that deflate can reach.
    private static let maximumRatio = 1032
    private static let smallestBuffer = 4 << 10

    private static let inflaters = ContextPool<GzipInflater>()
    private static let deflaters = ContextPool<GzipDeflater>()

    /// Decompresses one or more gzip members.
    ///
    /// - Throws: `CORRUPT_MESSAGE` if a member is malformed or truncated, `RECORD_LIST_TOO_LARGE` if they inflate to
    ///   more than `limit` bytes.
    static func decompress(_ bytes: ByteSlice, limit: Int, pool: BufferPool) throws(KafkaError) -> ByteSlice {
        guard let inflater = inflaters.take() ?? GzipInflater() else {
            throw Compression.gzip.corrupt("zlib cannot allocate its stream")
        }
        defer {
            unsafe inflater.stream.forgetBuffers()
            inflaters.giveBack(inflater)
        }
        let z = unsafe inflater.stream
        guard unsafe inflateReset(z) == Z_OK else { throw Compression.gzip.corrupt("zlib cannot reset its stream") }
        // One byte more than allowed, to distinguish too many bytes from exactly enough.
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
                        throw Compression.gzip.corrupt("zlib cannot begin another member")
                    }
                case Z_OK, Z_BUF_ERROR:
                    if unsafe z.pointee.avail_out > 0 { throw Compression.gzip.corrupt("it is truncated") }
                    storage = grown(storage, filled: filled, limit: limit, pool: pool)
                default:
                    let reason = unsafe z.pointee.msg.map { unsafe String(cString: $0) }
                    throw Compression.gzip.corrupt(reason ?? "zlib status \(status)")
                }
            }
        }
    }

    /// The first guess of the inflated size in bytes: the size in the last member's trailer, limited by `maximumRatio`.
    private static func firstCapacity(_ bytes: ByteSlice, limit: Int) -> Int {
        var stated = 0
        if bytes.count >= 4 {
            // gzip is little-endian.
            stated = Int(bytes.span.littleEndian(at: bytes.count - 4, as: UInt32.self))
        }
        // One byte more, so that zlib reaches the end without another buffer.
        return max(min(stated + 1, limit, bytes.count * maximumRatio), smallestBuffer)
    }

    private static func grown(_ storage: ByteStorage, filled: Int, limit: Int, pool: BufferPool) -> ByteStorage {
        let larger = pool.take(min(storage.capacity * 2, limit))
        unsafe larger.base.copyMemory(from: storage.base, byteCount: filled)
        return larger
    }

    /// Compresses the records into one gzip member.
    ///
    /// - Parameter level: 1...9, or nil for zlib's default.
    /// - Returns: Memory with the member from `reserved` on, and the position after it.
    static func compress(
        _ bytes: RawSpan, level: Int?, reserved: Int, pool: BufferPool
    ) throws(KafkaError) -> (storage: ByteStorage, end: Int) {
        let level = level.map { Int32($0) } ?? Z_DEFAULT_COMPRESSION
        // Only reuse a stream of the same level. `deflateParams` could change the level, but zlib 1.2.11 then writes
        // into the output buffer of the previous batch.
        let idle = deflaters.take().flatMap { $0.level == level ? $0 : nil }
        guard let deflater = idle ?? GzipDeflater(level: level) else {
            throw Compression.gzip.failed("zlib cannot allocate its stream")
        }
        defer {
            unsafe deflater.stream.forgetBuffers()
            deflaters.giveBack(deflater)
        }
        let z = unsafe deflater.stream
        guard unsafe deflateReset(z) == Z_OK else { throw Compression.gzip.failed("zlib cannot reset its stream") }
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

// @unchecked for both: only the caller that took a stream from its pool uses it, until it gives it back.

/// A zlib stream that decompresses gzip.
@safe private final class GzipInflater: @unchecked Sendable {
    /// At a fixed address, because zlib keeps a pointer to it.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    /// - Returns: nil if zlib can't allocate it.
    init?() {
        unsafe stream.initialize(to: z_stream())
        // 15 is the largest window; 32 accepts both gzip and zlib headers.
        let status = unsafe inflateInit2_(stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { return nil }
    }

    deinit {
        // Has no effect if the initialization failed.
        _ = unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }
}

/// A zlib stream that compresses to gzip.
@safe private final class GzipDeflater: @unchecked Sendable {
    /// At a fixed address, because zlib keeps a pointer to it.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    /// The compression level, from 1 to 9, or -1 for zlib's default.
    let level: Int32

    /// - Returns: nil if zlib can't allocate it.
    init?(level: Int32) {
        self.level = level
        unsafe stream.initialize(to: z_stream())
        // 15 is the largest window; 16 writes a gzip header; 8 is zlib's default memory level.
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
    /// Clears the pointers to input and output, because their memory may be reused before the stream's next use.
    fileprivate func forgetBuffers() {
        unsafe pointee.next_in = nil
        unsafe pointee.avail_in = 0
        unsafe pointee.next_out = nil
        unsafe pointee.avail_out = 0
    }

    fileprivate func setInput(_ input: UnsafeRawBufferPointer) {
        // zlib doesn't write to its input; the field isn't const only for compatibility.
        unsafe pointee.next_in = UnsafeMutablePointer<UInt8>(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe pointee.avail_in = UInt32(clamping: input.count)
    }

    /// - Returns: The number of bytes offered to zlib.
    fileprivate func setOutput(_ output: UnsafeMutableRawPointer, _ count: Int) -> Int {
        unsafe pointee.next_out = output.assumingMemoryBound(to: UInt8.self)
        unsafe pointee.avail_out = UInt32(clamping: count)
        return Int(unsafe pointee.avail_out)
    }
}
