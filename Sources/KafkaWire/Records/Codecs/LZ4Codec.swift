#if LZ4
    import CLZ4

    /// lz4 by liblz4, in its frame format.
    enum LZ4Codec {
        /// How far back a block may refer to what was before it.
        private static let window = 64 << 10

        /// - Throws: `CORRUPT_MESSAGE`, `RECORD_LIST_TOO_LARGE` where the records have more than `limit` bytes.
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

        /// - Parameter history: How many bytes before `target` the block may refer to.
        /// - Returns: How many bytes were written, below zero where the block is malformed or needs more room.
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

        /// Why a block didn't fit: because there is a limit, or because it isn't what its frame says.
        private static func overrun(_ block: LZ4Frames.Block, _ room: Int, limit: Int, bound: Int) -> KafkaError {
            room < block.maximumByteCount && limit < bound
                ? Compression.tooLarge(limit) : Compression.lz4.corrupt("a block isn't lz4's")
        }

        /// How many bytes the blocks can have at most, decompressed.
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
                // A byte of a block adds 255 bytes at most.
                frameTotal += block.isStored ? block.range.count : min(block.maximumByteCount, block.range.count * 255)
            }
            return total + min(frameTotal, contentSize ?? .max)
        }

        /// - Parameter level: 1...17, or nil for the fast compressor. liblz4's own scale ends at 12, and its high
        ///   compression begins at 3.
        static func compress(
            _ bytes: RawSpan, level: Int?, reserved: Int, pool: BufferPool
        ) throws(KafkaError) -> (storage: ByteStorage, end: Int) {
            var preferences = LZ4F_preferences_t()
            // Independent blocks: Kafka's Java client reads no others.
            preferences.frameInfo.blockMode = LZ4F_blockIndependent
            preferences.frameInfo.blockSizeID = LZ4F_max64KB
            // Lets a reader take just the memory that it needs.
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
