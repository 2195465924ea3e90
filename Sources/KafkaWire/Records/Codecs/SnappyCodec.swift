#if Snappy
    import CSnappy

    /// snappy by libsnappy: written in the framing of the library that Kafka's Java client uses (snappy-java, by
    /// xerial.org), which is all that client reads; read in that framing and as one raw block, as librdkafka writes.
    ///
    /// The framing: 16 bytes of header, then blocks, each behind its size as a 32-bit big-endian integer.
    enum SnappyCodec {
        /// A byte that no raw block begins with unless it is of 130 bytes and more, the name, and a zero.
        static let magic: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]
        /// The magic, the version of the format and the lowest version that can read it: both 1.
        private static let header: [UInt8] = magic + [0, 0, 0, 1, 0, 0, 0, 1]
        /// What libsnappy compresses at once: larger blocks gain nothing.
        private static let blockByteCount = 64 << 10
        /// The longest copy has 64 bytes, and takes three.
        private static let maximumRatio = 64 / 3 + 1

        /// - Throws: `CORRUPT_MESSAGE`, `RECORD_LIST_TOO_LARGE` where the records have more than `limit` bytes.
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
                    // libsnappy writes no more than the block states, which the first walk has added up.
                    var count = total - filled
                    let target = unsafe (storage.base + filled).assumingMemoryBound(to: CChar.self)
                    let status = unsafe snappy_uncompress(
                        block.baseAddress?.assumingMemoryBound(to: CChar.self), block.count, target, &count)
                    guard status == SNAPPY_OK else { throw Compression.snappy.corrupt("a block isn't snappy's") }
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
                // The guard has seen the bytes.
                let count = Int(
                    Int32(bigEndian: unsafe input.loadUnaligned(fromByteOffset: position, as: Int32.self)))
                position += 4
                guard count >= 0, count <= input.count - position else {
                    throw Compression.snappy.corrupt("a block has \(count) bytes, of which not all are there")
                }
                try unsafe body(UnsafeRawBufferPointer(rebasing: input[position..<position + count]))
                position += count
            }
        }

        /// What a block says of its size; not believed where it can't be.
        private static func statedByteCount(_ block: UnsafeRawBufferPointer) throws(KafkaError) -> Int {
            var count = 0
            let start = unsafe block.baseAddress?.assumingMemoryBound(to: CChar.self)
            guard unsafe snappy_uncompressed_length(start, block.count, &count) == SNAPPY_OK else {
                throw Compression.snappy.corrupt("a block doesn't begin with its size")
            }
            guard count <= block.count * maximumRatio else {
                throw Compression.snappy.corrupt("a block of \(block.count) bytes says that it holds \(count)")
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
                    // Room for each block at its largest was reserved above.
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
