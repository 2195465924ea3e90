import Testing

@testable import KafkaWire

#if LZ4
    import CLZ4
#endif
#if Zstd
    import CZstd
#endif

/// Variants of each codec's format that other writers produce.
@Suite struct CodecFormatTests {
    static let text = CompressionTests.text

    static func decompress(_ bytes: [UInt8], _ codec: Compression, maximumBytes: Int = 1 << 20) throws -> [UInt8] {
        try CompressionTests.decompress(bytes, codec, maximumBytes: maximumBytes)
    }

    static func corrupt(_ bytes: [UInt8], _ codec: Compression) {
        let error = #expect(throws: KafkaError.self) { try decompress(bytes, codec) }
        #expect(error?.code == .corruptMessage)
    }

    // MARK: gzip

    @Test func `consecutive gzip members are one stream`() throws {
        let two = try CompressionTests.compress(Self.text, .gzip) + CompressionTests.compress([1, 2, 3], .gzip)
        #expect(try Self.decompress(two, .gzip) == Self.text + [1, 2, 3])
    }

    /// The size in a member's trailer may be wrong.
    @Test func `a wrong size in a gzip trailer is detected`() throws {
        for size: [UInt8] in [[0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0]] {
            var compressed = try CompressionTests.compress(Self.text, .gzip)
            compressed.replaceSubrange(compressed.count - 4..<compressed.count, with: size)
            Self.corrupt(compressed, .gzip)
        }
    }

    @Test func `gzip's own checksum detects damage`() throws {
        let text = Array("record batch, record batch".utf8)
        let compressed = try CompressionTests.compress(text, .gzip)
        var harmless = 0
        for position in compressed.indices {
            var damaged = compressed
            damaged[position] ^= 0x10
            guard let result = try? Self.decompress(damaged, .gzip) else { continue }
            #expect(result == text, "byte \(position)")
            harmless += 1
        }
        // The time and system in the header, and padding bits in the last byte of the data.
        #expect(harmless <= 8)
    }

    #if Snappy
        // MARK: snappy

        /// A literal of three bytes.
        static let rawSnappy: [UInt8] = [3, 2 << 2, 0x61, 0x62, 0x63]
        static let framing: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]

        @Test func `snappy is written in snappy-java's framing, and read with and without it`() throws {
            let framed = Self.framing + [0, 0, 0, 5] + Self.rawSnappy
            #expect(try CompressionTests.compress(Array("abc".utf8), .snappy) == framed)
            #expect(try Self.decompress(Self.rawSnappy, .snappy) == Array("abc".utf8))
            #expect(try Self.decompress(framed + [0, 0, 0, 5] + Self.rawSnappy, .snappy) == Array("abcabc".utf8))
        }

        /// A block of 130 bytes begins with the framing's first byte.
        @Test func `a raw block that begins like the framing isn't mistaken for it`() throws {
            let bytes = [UInt8](repeating: 0x53, count: 130)
            let raw: [UInt8] = [0x82, 0x01, 60 << 2, 129] + bytes
            #expect(try Self.decompress(raw, .snappy) == bytes)
        }

        @Test func `impossible snappy sizes are rejected`() {
            // 2³² - 1 bytes in five, and 200 in four.
            Self.corrupt([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0x61], .snappy)
            Self.corrupt([0xc8, 0x01, 0, 0x61], .snappy)
            Self.corrupt([], .snappy)
            for length: [UInt8] in [[0xff, 0xff, 0xff, 0xff], [0x7f, 0xff, 0xff, 0xff], [0, 0, 0, 6], [0, 0, 0, 0]] {
                Self.corrupt(Self.framing + length + Self.rawSnappy, .snappy)
            }
            Self.corrupt(Self.framing + [0, 0, 0], .snappy)
            Self.corrupt(Array(Self.framing.prefix(12)), .snappy)
        }
    #endif

    #if LZ4
        // MARK: lz4

        static func frame(_ bytes: [UInt8], _ change: (inout LZ4F_preferences_t) -> Void) -> [UInt8] {
            var preferences = LZ4F_preferences_t()
            change(&preferences)
            var frame = [UInt8](repeating: 0, count: unsafe LZ4F_compressFrameBound(bytes.count, &preferences))
            let count = unsafe LZ4F_compressFrame(&frame, frame.count, bytes, bytes.count, &preferences)
            return Array(frame.prefix(count))
        }

        @Test func `lz4 frames of every kind are read`() throws {
            let bytes = (0..<3).flatMap { _ in Self.text } + CompressionTests.noise + Self.text
            for blockMode in [LZ4F_blockLinked, LZ4F_blockIndependent] {
                for blockSize in [LZ4F_max64KB, LZ4F_max256KB, LZ4F_max1MB, LZ4F_max4MB] {
                    for checksums: UInt32 in 0...3 {
                        let frame = Self.frame(bytes) { preferences in
                            preferences.frameInfo.blockMode = blockMode
                            preferences.frameInfo.blockSizeID = blockSize
                            preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksum_t(rawValue: checksums & 1)
                            preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksum_t(rawValue: checksums >> 1)
                            preferences.frameInfo.contentSize = checksums == 1 ? UInt64(bytes.count) : 0
                        }
                        #expect(try Self.decompress(frame, .lz4) == bytes)
                        // A linked block can't refer to the previous frame.
                        let two = try Self.decompress(Self.frame(Self.text) { _ in } + frame, .lz4)
                        #expect(two == Self.text + bytes)
                    }
                }
            }
        }

        @Test func `lz4 frames without content are skipped`() throws {
            let skippable: [UInt8] = [0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]
            let empty = Self.frame([]) { _ in }
            let frames = skippable + empty + Self.frame([1, 2]) { _ in } + skippable
            #expect(try Self.decompress(frames, .lz4) == [1, 2])
            #expect(try Self.decompress(skippable, .lz4) == [])
        }

        /// Clients before Kafka 0.10 computed it over the magic number too.
        @Test func `the checksum of an lz4 header may be wrong`() throws {
            var frame = Self.frame([1, 2, 3]) { _ in }
            frame[6] ^= 0xff
            #expect(try Self.decompress(frame, .lz4) == [1, 2, 3])
        }

        @Test func `invalid lz4 headers are rejected`() {
            let frame = Self.frame([1, 2, 3]) { _ in }
            // Another version, a dictionary, reserved bits, block sizes that don't exist, another magic number.
            for (position, value) in [
                (4, 0x20), (4, 0xa0), (4, 0x61), (4, 0x62), (5, 0x30), (5, 0xc0), (5, 0x41), (0, 5),
            ]
                as [(Int, UInt8)]
            {
                var malformed = frame
                malformed[position] = value
                Self.corrupt(malformed, .lz4)
            }
        }

        @Test func `impossible lz4 sizes are rejected`() {
            let frame = Self.frame([UInt8](repeating: 7, count: 500)) { $0.frameInfo.contentSize = 500 }
            for size: UInt8 in [1, 0] {
                var malformed = frame
                malformed[6] = 0xf3
                malformed[7] = size
                Self.corrupt(malformed, .lz4)
            }
            var malformed = frame
            malformed[13] = 0xff
            #expect(throws: Never.self) { try Self.decompress(malformed, .lz4, maximumBytes: 500) }
            malformed = frame
            malformed.replaceSubrange(15..<19, with: [0xff, 0xff, 0xff, 0x7f])
            Self.corrupt(malformed, .lz4)
        }
    #endif

    #if Zstd
        // MARK: zstd

        static func zstd(_ bytes: [UInt8], _ parameters: [(ZSTD_cParameter, Int32)]) throws -> [UInt8] {
            guard let context = unsafe ZSTD_createCCtx() else {
                throw KafkaError(.unknownServerError, "libzstd cannot allocate a context")
            }
            defer { _ = unsafe ZSTD_freeCCtx(context) }
            for (parameter, value) in parameters {
                #expect(unsafe ZSTD_isError(ZSTD_CCtx_setParameter(context, parameter, value)) == 0)
            }
            var frame = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
            let count = unsafe ZSTD_compress2(context, &frame, frame.count, bytes, bytes.count)
            #expect(ZSTD_isError(count) == 0)
            return Array(frame.prefix(count))
        }

        /// The Java client's frames don't state their content size.
        @Test func `zstd frames of every kind are read`() throws {
            let zeros = [UInt8](repeating: 0, count: 500_000)
            for bytes in [[], [1], Self.text, CompressionTests.noise + Self.text, zeros] {
                for contentSize: Int32 in 0...1 {
                    for checksum: Int32 in 0...1 {
                        for windowLog: Int32 in [0, 10, 15] {
                            let frame = try Self.zstd(
                                bytes,
                                [
                                    (ZSTD_c_contentSizeFlag, contentSize), (ZSTD_c_checksumFlag, checksum),
                                    (ZSTD_c_windowLog, windowLog),
                                ])
                            #expect(try Self.decompress(frame, .zstd) == bytes)
                            #expect(try Self.decompress(frame + frame, .zstd) == bytes + bytes)
                            #expect(try ZstdFrames.sizeBound(ByteSlice(frame)) >= bytes.count)
                            #expect(try ZstdFrames.sizeBound(ByteSlice(frame)) <= bytes.count + 128 << 10)
                        }
                    }
                }
            }
        }

        @Test func `skippable zstd frames are skipped`() throws {
            let skippable: [UInt8] = [0x5f, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]
            let frames = try skippable + Self.zstd([1, 2], []) + skippable
            #expect(try Self.decompress(frames, .zstd) == [1, 2])
        }

        @Test func `zstd's own checksum detects damage`() throws {
            var frame = try Self.zstd(Self.text, [(ZSTD_c_checksumFlag, 1)])
            frame[frame.count - 1] ^= 1
            Self.corrupt(frame, .zstd)
        }

        @Test func `an impossible zstd frame size is rejected`() throws {
            // A stated size of 2⁴⁰, and a block of one byte repeated five times.
            let frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x50, 0, 0, 0, 0, 0, 1, 0, 0, 0x2b, 0, 0, 7]
            #expect(try ZstdFrames.sizeBound(ByteSlice(frame)) == 5)
            Self.corrupt(frame, .zstd)
        }
    #endif
}
