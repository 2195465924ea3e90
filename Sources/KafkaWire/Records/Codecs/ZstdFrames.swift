#if Zstd
    /// Reads the headers of zstd frames and blocks without decompressing.
    ///
    /// Source: RFC 8878, section 3.1.
    enum ZstdFrames {
        private static let magic: UInt32 = 0xfd2f_b528
        private static let skippableMagic: UInt32 = 0x184d_2a50
        private static let largestBlock = 128 << 10

        /// The largest possible decompressed size of all frames in bytes.
        ///
        /// Most frames don't state their size. A stated size is limited by the sizes of the frame's blocks.
        ///
        /// - Throws: `CORRUPT_MESSAGE`
        static func sizeBound(_ bytes: ByteSlice) throws(KafkaError) -> Int {
            var position = 0
            var total = 0
            while position < bytes.count {
                let start = try take(4, of: bytes, &position)
                let magic: UInt32 = bytes.span.littleEndian(at: start)
                if magic & 0xffff_fff0 == skippableMagic {
                    let size = try take(4, of: bytes, &position)
                    _ = try take(Int(bytes.span.littleEndian(at: size, as: UInt32.self)), of: bytes, &position)
                    continue
                }
                guard magic == Self.magic else { throw Compression.zstd.corrupt("no frame begins at byte \(start)") }
                total += try frameBound(bytes, &position)
            }
            return total
        }

        /// The largest possible decompressed size of one frame in bytes.
        ///
        /// - Parameter position: The position after the frame's magic number; advanced to the end of the frame.
        private static func frameBound(_ bytes: ByteSlice, _ position: inout Int) throws(KafkaError) -> Int {
            let descriptor: UInt8 = bytes.span.littleEndian(at: try take(1, of: bytes, &position))
            let isSingleSegment = descriptor >> 5 & 1 == 1
            var window = Int.max
            if !isSingleSegment {
                let byte: UInt8 = bytes.span.littleEndian(at: try take(1, of: bytes, &position))
                let base = 1 << (10 + Int(byte >> 3))
                window = base + base / 8 * Int(byte & 7)
            }
            let dictionaryByteCount = [0, 1, 2, 4][Int(descriptor & 3)]
            _ = try take(dictionaryByteCount, of: bytes, &position)
            let contentSize = try contentSize(bytes, descriptor, &position)
            let blockMaximum = min(isSingleSegment ? contentSize ?? 0 : window, largestBlock)

            var total = 0
            var isLast = false
            while !isLast {
                let start = try take(3, of: bytes, &position)
                let span = bytes.span
                let header =
                    Int(span.littleEndian(at: start, as: UInt16.self)) | Int(
                        span.littleEndian(at: start + 2, as: UInt8.self)) << 16
                isLast = header & 1 == 1
                let size = header >> 3
                switch header >> 1 & 3 {
                case 0:
                    _ = try take(size, of: bytes, &position)
                    total += size
                case 1:
                    _ = try take(1, of: bytes, &position)
                    total += min(size, blockMaximum)
                case 2:
                    _ = try take(size, of: bytes, &position)
                    total += blockMaximum
                default: throw Compression.zstd.corrupt("a block has a reserved type")
                }
            }
            // The content checksum.
            if descriptor >> 2 & 1 == 1 { _ = try take(4, of: bytes, &position) }
            return min(total, contentSize ?? .max)
        }

        private static func contentSize(
            _ bytes: ByteSlice, _ descriptor: UInt8, _ position: inout Int
        ) throws(KafkaError) -> Int? {
            let span = bytes.span
            switch (descriptor >> 6, descriptor >> 5 & 1) {
            case (0, 0): return nil
            case (0, _): return Int(span.littleEndian(at: try take(1, of: bytes, &position), as: UInt8.self))
            case (1, _): return 256 + Int(span.littleEndian(at: try take(2, of: bytes, &position), as: UInt16.self))
            case (2, _): return Int(span.littleEndian(at: try take(4, of: bytes, &position), as: UInt32.self))
            default:
                return Int(clamping: span.littleEndian(at: try take(8, of: bytes, &position), as: UInt64.self))
            }
        }

        /// Advances `position` by `count` bytes.
        ///
        /// - Returns: The position before them.
        /// - Throws: `CORRUPT_MESSAGE` if fewer bytes are left.
        private static func take(_ count: Int, of bytes: ByteSlice, _ position: inout Int) throws(KafkaError) -> Int {
            guard count <= bytes.count - position else { throw Compression.zstd.corrupt("it is truncated") }
            defer { position += count }
            return position
        }
    }
#endif
