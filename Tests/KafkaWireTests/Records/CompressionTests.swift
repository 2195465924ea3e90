import Testing

@testable import KafkaWire

/// Tests for every codec.
@Suite struct CompressionTests {
    static let pool = BufferPool(limit: 1 << 20)
    static let codecs = [Compression.gzip, .snappy, .lz4, .zstd].filter(\.isAvailable)

    static let text = (0..<60_000).map { UInt8(truncatingIfNeeded: $0 % 251 &* ($0 / 97)) }

    static let noise: [UInt8] = {
        var random = RandomValues(seed: 5)
        return (0..<200_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }()

    static func compress(_ bytes: [UInt8], _ codec: Compression, level: Int? = nil) throws -> [UInt8] {
        let content = ByteSlice(bytes)
        let compressed = try codec.compress(content.span, level: level, reserved: 3, pool: pool)
        let (storage, end) = try #require(compressed)
        return Array(ByteSlice(storage, 3..<end))
    }

    static func decompress(_ bytes: [UInt8], _ codec: Compression, maximumBytes: Int = 1 << 20) throws -> [UInt8] {
        Array(try codec.decompress(ByteSlice(bytes), maximumBytes: maximumBytes, pool: pool))
    }

    @Test(arguments: codecs) func `decompressing restores the compressed bytes`(codec: Compression) throws {
        let large = (0..<6).flatMap { _ in Self.text }
        for bytes in [[], [7], Array("record".utf8), Self.text, large, Self.noise] {
            #expect(try Self.decompress(Self.compress(bytes, codec), codec) == bytes)
        }
        #expect(try Self.compress(large, codec).count < large.count)
    }

    @Test(arguments: codecs) func `each compression level works`(codec: Compression) throws {
        var levels: [Int?] = [nil]
        if let all = codec.levels { levels += [all.lowerBound, -1, 1, 6, all.upperBound].filter(all.contains) }
        for level in levels {
            #expect(try Self.decompress(Self.compress(Self.text, codec, level: level), codec) == Self.text)
        }
        // A context that was used at the highest level returns to the default.
        #expect(try Self.compress(Self.text, codec) == Self.compress(Self.text, codec))
    }

    /// With zlib 1.2.11, changing a stream's level writes into its previous output buffer, which is another batch by then.
    @Test(arguments: codecs) func `compressing doesn't change the previous batch`(codec: Compression) throws {
        let levels = codec.levels.map { [max($0.lowerBound, 1), $0.upperBound, nil] } ?? [nil]
        var earlier: [(bytes: ByteSlice, copy: [UInt8])] = []
        for level in levels + levels {
            let content = ByteSlice(Self.text)
            let compressed = try codec.compress(content.span, level: level, reserved: 0, pool: Self.pool)
            let (storage, end) = try #require(compressed)
            let bytes = ByteSlice(storage, 0..<end)
            earlier.append((bytes, Array(bytes)))
            for batch in earlier { #expect(Array(batch.bytes) == batch.copy) }
            #expect(try Self.decompress(Array(bytes), codec) == Self.text)
        }
    }

    @Test(arguments: codecs) func `a level out of range is rejected`(codec: Compression) throws {
        guard let levels = codec.levels else { return }
        for level in [levels.lowerBound - 1, levels.upperBound + 1, .min, .max] {
            let builder = try RecordBatchBuilderTests.build([CopiedRecord(offset: 0, timestamp: 0)])
            let error = #expect(throws: KafkaError.self) { _ = try builder.finish(compression: codec, level: level) }
            #expect(error?.code == .invalidConfig)
        }
    }

    @Test(arguments: codecs) func `a higher level compresses better`(codec: Compression) throws {
        guard let levels = codec.levels else { return }
        let lines = (0..<4000).flatMap { Array("{\"unit\":\($0 &* 7919 % 4001),\"zone\":\($0 % 60)}".utf8) }
        let fast = try Self.compress(lines, codec, level: levels.lowerBound)
        let small = try Self.compress(lines, codec, level: levels.upperBound)
        #expect(small.count < fast.count)
    }

    @Test(arguments: codecs) func `the size limit is allowed, and one byte more is rejected`(
        codec: Compression
    ) throws {
        for bytes in [Self.text, Self.noise] {
            let compressed = try Self.compress(bytes, codec)
            #expect(try Self.decompress(compressed, codec, maximumBytes: bytes.count) == bytes)
            for limit in [bytes.count - 1, 1, 0, -1] {
                let error = #expect(throws: KafkaError.self) {
                    try Self.decompress(compressed, codec, maximumBytes: limit)
                }
                #expect(error?.code == .recordListTooLarge)
            }
        }
    }

    @Test(arguments: codecs) func `an inflation bomb is rejected, in one piece and in many`(codec: Compression) throws {
        let zeros = try Self.compress([UInt8](repeating: 0, count: 16 << 20), codec)
        #expect(zeros.count < 1 << 20)
        var bombs = [zeros]
        if codec != .snappy {
            let piece = try Self.compress([UInt8](repeating: 0, count: 1 << 16), codec)
            bombs.append((0..<40).flatMap { _ in piece })
        }
        for bomb in bombs {
            let batch = MalformedBatchTests.batch(bomb, attributes: Int16(codec.rawValue))
            let error = MalformedBatchTests.failure(batch, maximumInflatedBytes: 1 << 20)
            #expect(error?.code == .recordListTooLarge)
        }
    }

    @Test(arguments: codecs) func `truncated data is never accepted as complete`(codec: Compression) throws {
        let text = Array("record batch, record batch".utf8)
        let compressed = try Self.compress(text, codec)
        for count in 0..<compressed.count {
            let result = try? Self.decompress(Array(compressed.prefix(count)), codec)
            #expect(result == nil || result == [], "\(count) bytes")
        }
        #expect(throws: KafkaError.self) { try Self.decompress(compressed + [0], codec) }
    }

    /// The batch's checksum is responsible for detecting damage.
    @Test(arguments: codecs) func `damaged data gives an error, or bytes within the limit`(codec: Compression) throws {
        var random = RandomValues(seed: 8)
        let compressed = try Self.compress(Array(Self.text.prefix(3000)), codec)
        for _ in 0..<1000 {
            var damaged = compressed
            for _ in 0...(random.next() % 3) {
                damaged[Int(random.next() % UInt64(damaged.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            do {
                #expect(try Self.decompress(damaged, codec, maximumBytes: 5000).count <= 5000)
            } catch let error as KafkaError {
                #expect([.corruptMessage, .recordListTooLarge].contains(error.code))
            }
        }
    }

    #if !Snappy || !LZ4 || !Zstd
        @Test(arguments: Compression.allKnown.filter { !$0.isAvailable })
        func `the error for an excluded codec names its package trait`(codec: Compression) throws {
            let builder = try RecordBatchBuilderTests.build([CopiedRecord(offset: 0, timestamp: 0)])
            let writing = #expect(throws: KafkaError.self) { _ = try builder.finish(compression: codec) }
            let reading = MalformedBatchTests.failure(
                MalformedBatchTests.batch([1], attributes: Int16(codec.rawValue)))
            let setting = #expect(throws: KafkaError.self) {
                try ClientConfiguration(
                    bootstrapServers: "127.0.0.1:9092", properties: ["compression.type": "\(codec)"])
            }
            for error in [writing, reading, setting] {
                #expect(error?.code == .unsupportedCompressionType)
                let trait = codec == .lz4 ? "LZ4" : "\(codec)".capitalized
                #expect(error?.message.contains("\(codec)") == true)
                #expect(error?.message.contains("package trait \(trait)") == true)
            }
        }
    #endif

    @Test func `CRC-32C gives known values`() {
        #expect(CRC32C.checksum(ByteSlice(Array("123456789".utf8)).span) == 0xe306_9283)
        // RFC 3720, B.4.
        #expect(CRC32C.checksum(ByteSlice([UInt8](repeating: 0, count: 32)).span) == 0x8a91_36aa)
        #expect(CRC32C.checksum(ByteSlice([UInt8](repeating: 0xff, count: 32)).span) == 0x62a8_ab43)
        #expect(CRC32C.checksum(ByteSlice([]).span) == 0)
    }
}
