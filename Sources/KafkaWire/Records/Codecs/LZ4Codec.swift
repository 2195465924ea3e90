#if LZ4
    import CLZ4

    /// lz4 in its frame format, with liblz4.
    enum LZ4Codec {
        /// The number of preceding bytes that a linked block may refer to.
        private static let window = 64 << 10

        /// Decompresses one or more frames.
        ///
        /// - Throws: `CORRUPT_MESSAGE`, `RECORD_LIST_TOO_LARGE` if the records exceed `limit` bytes.
        static func decompress(_ bytes: ByteSlice, limit: Int, pool: BufferPool) throws(KafkaError) -> ByteSlice {
            let bound = try sizeBound(bytes)
            let capacity = min(bound, limit)
            let storage = pool.take(capacity)
            var filled = 0
            var frameStart = 0
            var frames = LZ4Frames(bytes)
            try unsafe bytes.withUnsafeBytes { input throws(KafkaError) in
                while let block = try frames.next() {
                    if block.beginsFrame { frameStart = filled }
                    let source = unsafe UnsafeRawBufferPointer(rebasing: input[block.range])
                    let target = unsafe storage.base + filled
                    let room = min(capacity - filled, block.maximumByteCount)
                    if block.isStored {
                        guard source.count <= room else { throw overrun(block, room, limit: limit, bound: bound) }
                        unsafe UnsafeMutableRawBufferPointer(start: target, count: room).copyMemory(from: source)
                        filled += source.count
                    } else {
                        let history = block.isLinked ? min(filled - frameStart, window) : 0
                        let count = unsafe decompress(source, to: target, room: room, history: history)
                        guard count >= 0 else { throw overrun(block, room, limit: limit, bound: bound) }
                        filled += count
                    }
                }
            }
            return ByteSlice(storage, 0..<filled)
        }

        /// Decompresses one block.
        ///
        /// - Parameter history: The number of bytes before `target` that the block may refer to.
        /// - Returns: The number of bytes written; negative if the block is malformed or needs more room.
        private static func decompress(
            _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, room: Int, history: Int
        ) -> Int {
            let input = unsafe source.baseAddress?.assumingMemoryBound(to: CChar.self)
            let output = unsafe target.assumingMemoryBound(to: CChar.self)
            guard history > 0 else {
                return Int(unsafe LZ4_decompress_safe(input, output, Int32(source.count), Int32(room)))
            }
            return Int(
                unsafe LZ4_decompress_safe_usingDict(
                    input, output, Int32(source.count), Int32(room), output - history, Int32(history)))
        }

        /// The error for a block that doesn't fit: either `limit` is too small, or the block is malformed.
        private static func overrun(_ block: LZ4Frames.Block, _ room: Int, limit: Int, bound: Int) -> KafkaError {
            room < block.maximumByteCount && limit < bound
                ? Compression.tooLarge(limit) : Compression.lz4.corrupt("a block is malformed")
        }

        /// The largest possible decompressed size of all frames in bytes.
        private static func sizeBound(_ bytes: ByteSlice) throws(KafkaError) -> Int {
            var total = 0
            var frameTotal = 0
            var contentSize: Int?
            var frames = LZ4Frames(bytes)
            while let block = try frames.next() {
                if block.beginsFrame {
                    total += min(frameTotal, contentSize ?? .max)
                    frameTotal = 0
                    contentSize = frames.contentSize
                }
                // Each byte of a block expands to at most 255 bytes.
                frameTotal += block.isStored ? block.range.count : min(block.maximumByteCount, block.range.count * 255)
            }
            return total + min(frameTotal, contentSize ?? .max)
        }

        /// Compresses the records into one frame that begins at `reserved`.
        ///
        /// - Parameter level: 1...17, or nil for the fast compressor. liblz4's own scale ends at 12, and its high
        ///   compression begins at 3.
        static func compress(
            _ bytes: RawSpan, level: Int?, reserved: Int, pool: BufferPool
        ) throws(KafkaError) -> (storage: ByteStorage, end: Int) {
            var preferences = LZ4F_preferences_t()
            // Kafka's Java client reads only independent blocks.
            preferences.frameInfo.blockMode = LZ4F_blockIndependent
            preferences.frameInfo.blockSizeID = LZ4F_max64KB
            // Lets a reader allocate exactly the memory that it needs.
            preferences.frameInfo.contentSize = UInt64(bytes.byteCount)
            preferences.compressionLevel = Int32(level ?? 0)
            let bound = unsafe LZ4F_compressFrameBound(bytes.byteCount, &preferences)
            let storage = pool.take(reserved + bound)
            let count = unsafe bytes.withUnsafeBytes { input in
                unsafe LZ4F_compressFrame(storage.base + reserved, bound, input.baseAddress, input.count, &preferences)
            }
            guard LZ4F_isError(count) == 0 else {
                throw Compression.lz4.failed(unsafe String(cString: LZ4F_getErrorName(count)))
            }
            return (storage, reserved + count)
        }
    }
#endif
