import Testing

@testable import KafkaWire

@Suite struct CompressionTests {
    static let pool = BufferPool(limit: 1 << 20)

    static func gzip(_ bytes: [UInt8], level: Int? = nil) throws -> [UInt8] {
        let content = ByteSlice(bytes)
        let (storage, end) = try Gzip.deflate(content.span, level: level, reserved: 0, pool: pool)
        return Array(ByteSlice(storage, 0..<end))
    }

    static func inflate(_ bytes: [UInt8], maximumBytes: Int = 1 << 20) throws -> [UInt8] {
        Array(try Gzip.inflate(ByteSlice(bytes), maximumBytes: maximumBytes, pool: pool))
    }

    static let text = (0..<60_000).map { UInt8(truncatingIfNeeded: $0 % 251 &* ($0 / 97)) }

    @Test(arguments: [nil, 1, 6, 9]) func `what is compressed comes back`(level: Int?) throws {
        #expect(try Self.inflate(Self.gzip(Self.text, level: level)) == Self.text)
        #expect(try Self.inflate(Self.gzip([], level: level)) == [])
    }

    @Test func `members that follow each other are one stream`() throws {
        let two = try Self.gzip(Self.text) + Self.gzip([1, 2, 3])
        #expect(try Self.inflate(two) == Self.text + [1, 2, 3])
    }

    @Test func `the largest size allowed is allowed, and one byte more is not`() throws {
        let compressed = try Self.gzip(Self.text)
        #expect(try Self.inflate(compressed, maximumBytes: Self.text.count) == Self.text)
        let error = #expect(throws: KafkaError.self) {
            try Self.inflate(compressed, maximumBytes: Self.text.count - 1)
        }
        #expect(error?.code == .recordListTooLarge)
    }

    @Test func `an inflation bomb is refused, in one member and in many`() throws {
        let zeros = try Self.gzip([UInt8](repeating: 0, count: 16 << 20))
        #expect(zeros.count < 20_000)
        for bomb in [zeros, try (0..<40).flatMap { _ in try Self.gzip([UInt8](repeating: 0, count: 1 << 16)) }] {
            let batch = MalformedBatchTests.batch(bomb, attributes: 1)
            let error = MalformedBatchTests.failure(batch, maximumInflatedBytes: 1 << 20)
            #expect(error?.code == .recordListTooLarge)
        }
    }

    /// The size at a member's end is a claim only.
    @Test func `a false size at the end is found`() throws {
        for size: [UInt8] in [[0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0]] {
            var compressed = try Self.gzip(Self.text)
            compressed.replaceSubrange(compressed.count - 4..<compressed.count, with: size)
            let error = #expect(throws: KafkaError.self) { try Self.inflate(compressed) }
            #expect(error?.code == .corruptMessage)
        }
    }

    @Test func `damage is an error, or did no harm`() throws {
        let text = Array("record batch, record batch".utf8)
        let compressed = try Self.gzip(text)
        for count in 0..<compressed.count {
            #expect(throws: KafkaError.self) { try Self.inflate(Array(compressed.prefix(count))) }
        }
        #expect(throws: KafkaError.self) { try Self.inflate(compressed + [0]) }
        var harmless = 0
        for position in compressed.indices {
            var damaged = compressed
            damaged[position] ^= 0x10
            guard let result = try? Self.inflate(damaged) else { continue }
            #expect(result == text, "byte \(position)")
            harmless += 1
        }
        // The time and the system in the header, and bits that fill up the last byte of the data.
        #expect(harmless <= 8)
    }

    @Test(arguments: [0, 10, -1, Int.max]) func `a level that gzip doesn't have is refused`(level: Int) throws {
        let builder = try RecordBatchBuilderTests.build([CopiedRecord(offset: 0, timestamp: 0)])
        let error = #expect(throws: KafkaError.self) { _ = try builder.finish(compression: .gzip, level: level) }
        #expect(error?.code == .invalidConfig)
    }

    @Test(arguments: [Compression.snappy, .lz4, .zstd])
    func `a codec that isn't there is refused by name`(compression: Compression) throws {
        let builder = try RecordBatchBuilderTests.build([CopiedRecord(offset: 0, timestamp: 0)])
        let error = #expect(throws: KafkaError.self) { _ = try builder.finish(compression: compression) }
        #expect(error?.code == .unsupportedCompressionType)
        #expect(error?.message.contains("\(compression)") == true)
    }

    @Test func `CRC-32C has its known values`() {
        #expect(CRC32C.checksum(ByteSlice(Array("123456789".utf8)).span) == 0xe306_9283)
        // RFC 3720, B.4.
        #expect(CRC32C.checksum(ByteSlice([UInt8](repeating: 0, count: 32)).span) == 0x8a91_36aa)
        #expect(CRC32C.checksum(ByteSlice([UInt8](repeating: 0xff, count: 32)).span) == 0x62a8_ab43)
        #expect(CRC32C.checksum(ByteSlice([]).span) == 0)
    }
}
