#if LZ4
    /// Iterates over the blocks of LZ4 frames.
    ///
    /// The checksums in a frame are ignored, since the record batch's own checksum covers all these bytes. In message
    /// format 0 the header checksum is wrong anyway: clients computed it over other bytes (KAFKA-3160).
    ///
    /// Source: LZ4 Frame Format Description 1.6.
    struct LZ4Frames {
        struct Block {
            /// The position of its data.
            var range: Range<Int>
            /// Whether the data is stored uncompressed.
            var isStored: Bool
            /// Whether it is the first block of its frame.
            var beginsFrame: Bool
            /// Whether it may refer to earlier data of its frame.
            var isLinked: Bool
            /// The largest decompressed size in bytes that its frame allows.
            var maximumByteCount: Int
        }

        private static let magic: UInt32 = 0x184d_2204
        private static let skippableMagic: UInt32 = 0x184d_2a50

        private let bytes: ByteSlice
        private var position = 0
        private var isInFrame = false
        private var beginsFrame = false
        private var isLinked = false
        private var blockChecksumByteCount = 0
        private var contentChecksumByteCount = 0
        private var maximumByteCount = 0
        /// The content size in bytes from the frame's header; nil if the header doesn't state it.
        private(set) var contentSize: Int?

        init(_ bytes: ByteSlice) {
            self.bytes = bytes
        }

        /// The next block, or nil after the last frame.
        ///
        /// - Throws: `CORRUPT_MESSAGE`
        mutating func next() throws(KafkaError) -> Block? {
            while true {
                if !isInFrame {
                    if position == bytes.count { return nil }
                    try beginFrame()
                    continue
                }
                let word = try uint32()
                let count = Int(word & 0x7fff_ffff)
                if word == 0 {
                    try skip(contentChecksumByteCount)
                    isInFrame = false
                    continue
                }
                guard count <= maximumByteCount else {
                    throw Compression.lz4.corrupt("a block of \(count) bytes is larger than its frame allows")
                }
                let start = position
                try skip(count + blockChecksumByteCount)
                defer { beginsFrame = false }
                return Block(
                    range: start..<start + count, isStored: word & 0x8000_0000 != 0, beginsFrame: beginsFrame,
                    isLinked: isLinked, maximumByteCount: maximumByteCount)
            }
        }

        private mutating func beginFrame() throws(KafkaError) {
            let magic = try uint32()
            if magic & 0xffff_fff0 == Self.skippableMagic { return try skip(Int(try uint32())) }
            guard magic == Self.magic else { throw Compression.lz4.corrupt("no frame begins at byte \(position - 4)") }
            let start = position
            try skip(2)
            let flags: UInt8 = bytes.span.littleEndian(at: start)
            let blocks: UInt8 = bytes.span.littleEndian(at: start + 1)
            let sizeID = Int(blocks >> 4 & 7)
            guard flags >> 6 == 1, flags & 2 == 0, blocks & 0x8f == 0, sizeID >= 4 else {
                throw Compression.lz4.corrupt("the header of a frame is malformed, or of an unsupported version")
            }
            guard flags & 1 == 0 else { throw Compression.lz4.corrupt("a frame needs a dictionary") }
            isLinked = flags >> 5 & 1 == 0
            blockChecksumByteCount = flags >> 4 & 1 == 1 ? 4 : 0
            contentChecksumByteCount = flags >> 2 & 1 == 1 ? 4 : 0
            // 64 KiB, 256 KiB, 1 MiB, 4 MiB.
            maximumByteCount = 1 << (8 + 2 * sizeID)
            contentSize = nil
            if flags >> 3 & 1 == 1 {
                let start = position
                try skip(8)
                contentSize = Int(clamping: bytes.span.littleEndian(at: start, as: UInt64.self))
            }
            // The header's checksum.
            try skip(1)
            isInFrame = true
            beginsFrame = true
        }

        private mutating func uint32() throws(KafkaError) -> UInt32 {
            let start = position
            try skip(4)
            return bytes.span.littleEndian(at: start)
        }

        private mutating func skip(_ count: Int) throws(KafkaError) {
            guard count <= bytes.count - position else { throw Compression.lz4.corrupt("it is truncated") }
            position += count
        }
    }
#endif
