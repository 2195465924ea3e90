#if Snappy
    import CSnappy

    /// snappy with libsnappy.
    ///
    /// Writes the framing of snappy-java (xerial.org), the only format that Kafka's Java client reads. Reads that
    /// framing, and a single raw block, which librdkafka writes.
    ///
    /// The framing has a 16-byte header, then blocks, each preceded by its size as a 32-bit big-endian integer.
    enum SnappyCodec {
        /// The byte 0x82, "SNAPPY" and a zero. A raw block that expands to fewer than 130 bytes never begins with 0x82.
        static let magic: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]
        /// The magic, the format's version, and the lowest version that can read it: both 1.
        private static let header: [UInt8] = magic + [0, 0, 0, 1, 0, 0, 0, 1]
        /// The block size in bytes, which is libsnappy's own; larger blocks don't compress better.
        private static let blockByteCount = 64 << 10
        /// The largest ratio of decompressed size to compressed size: the longest copy yields 64 bytes from three.
        private static let maximumRatio = 64 / 3 + 1

        /// Decompresses framed blocks or one raw block.
        ///
        /// - Throws: `CORRUPT_MESSAGE`, `RECORD_LIST_TOO_LARGE` if the records exceed `limit` bytes.
        static func decompress(_ bytes: ByteSlice, limit: Int, pool: BufferPool) throws(KafkaError) -> ByteSlice {
            try unsafe bytes.withUnsafeBytes { input throws(KafkaError) in
                let isFramed = unsafe input.starts(with: magic)
                var total = 0
                try unsafe forEachBlock(input, isFramed) { block throws(KafkaError) in
                    total += try unsafe statedByteCount(block)
                    guard total <= limit else { throw Compression.tooLarge(limit) }
                }
                let storage = pool.take(total)
                var filled = 0
                try unsafe forEachBlock(input, isFramed) { block throws(KafkaError) in
                    // libsnappy writes no more than the block's stated size, and the first pass added these sizes up.
                    var count = total - filled
                    let target = unsafe (storage.base + filled).assumingMemoryBound(to: CChar.self)
                    let status = unsafe snappy_uncompress(
                        block.baseAddress?.assumingMemoryBound(to: CChar.self), block.count, target, &count)
                    guard status == SNAPPY_OK else { throw Compression.snappy.corrupt("a block is malformed") }
                    filled += count
                }
                return ByteSlice(storage, 0..<filled)
            }
        }

        private static func forEachBlock(
            _ input: UnsafeRawBufferPointer, _ isFramed: Bool,
            _ body: (UnsafeRawBufferPointer) throws(KafkaError) -> Void
        ) throws(KafkaError) {
            guard isFramed else { return try unsafe body(input) }
            guard input.count >= header.count else { throw Compression.snappy.corrupt("it ends too early") }
            var position = header.count
            while position < input.count {
                guard position + 4 <= input.count else { throw Compression.snappy.corrupt("it ends too early") }
                // The guard has checked the bounds.
                let count = Int(
                    Int32(bigEndian: unsafe input.loadUnaligned(fromByteOffset: position, as: Int32.self)))
                position += 4
                guard count >= 0, count <= input.count - position else {
                    throw Compression.snappy.corrupt("a block has the invalid length \(count)")
                }
                try unsafe body(UnsafeRawBufferPointer(rebasing: input[position..<position + count]))
                position += count
            }
        }

        /// A block's stated decompressed size in bytes, checked against `maximumRatio`.
        private static func statedByteCount(_ block: UnsafeRawBufferPointer) throws(KafkaError) -> Int {
            var count = 0
            let start = unsafe block.baseAddress?.assumingMemoryBound(to: CChar.self)
            guard unsafe snappy_uncompressed_length(start, block.count, &count) == SNAPPY_OK else {
                throw Compression.snappy.corrupt("a block does not begin with its decompressed size")
            }
            guard count <= block.count * maximumRatio else {
                throw Compression.snappy.corrupt("a block of \(block.count) bytes cannot expand to \(count) bytes")
            }
            return count
        }

        static func compress(
            _ bytes: RawSpan, reserved: Int, pool: BufferPool
        ) throws(KafkaError) -> (storage: ByteStorage, end: Int) {
            let blockCount = (bytes.byteCount + blockByteCount - 1) / blockByteCount
            let bound = header.count + blockCount * (4 + snappy_max_compressed_length(blockByteCount))
            let storage = pool.take(reserved + bound)
            var end = reserved
            unsafe header.withUnsafeBytes { source in
                let target = unsafe UnsafeMutableRawBufferPointer(start: storage.base + end, count: source.count)
                unsafe target.copyMemory(from: source)
            }
            end += header.count
            try unsafe bytes.withUnsafeBytes { input throws(KafkaError) in
                for start in stride(from: 0, to: input.count, by: blockByteCount) {
                    let block = unsafe input[start..<min(start + blockByteCount, input.count)]
                    var count = reserved + bound - end - 4
                    // The memory above has room for the largest result of each block.
                    let status = unsafe snappy_compress(
                        UnsafeRawBufferPointer(rebasing: block).baseAddress?.assumingMemoryBound(to: CChar.self),
                        block.count, (storage.base + end + 4).assumingMemoryBound(to: CChar.self), &count)
                    guard status == SNAPPY_OK else { throw Compression.snappy.failed("status \(status.rawValue)") }
                    unsafe storage.base.storeBytes(of: Int32(count).bigEndian, toByteOffset: end, as: Int32.self)
                    end += 4 + count
                }
            }
            return (storage, end)
        }
    }
#endif
