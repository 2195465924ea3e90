import Testing

@testable import KafkaWire

/// Messages of formats 0 and 1: from a real broker, which converted the Java client's records for an old client
/// (Fixtures/make-records.sh), and malformed ones.
@Suite struct MessageSetTests {
    static let names =
        ["single", "many", "nulls", "headers", "gzip", "large", "log-append-time", "transactions", "compacted"]
        + [Compression.snappy, .lz4].filter(\.isAvailable).map { "\($0)" }

    /// The expected records, without the fields that formats 0 and 1 don't have.
    static func expected(_ name: String, format: Int) throws -> [CopiedRecord] {
        try FixtureTests.expected(name).map { record in
            var record = record
            record.headers = []
            if format == 0 { record.timestamp = -1 }
            return record
        }
    }

    @Test(arguments: names, [0, 1])
    func `every record is equal to the Java consumer's in format 2`(name: String, format: Int) throws {
        let batches = try readBatches(try FixtureTests.segment("v\(format)/\(name)"))
        #expect(try batches.flatMap { try $0.copyRecords() } == Self.expected(name, format: format))
        #expect(batches.allSatisfy { $0.producerID == -1 && $0.baseSequence == -1 && !$0.isControl })
    }

    @Test(arguments: names, [0, 1])
    func `a read from any offset begins at that offset`(name: String, format: Int) throws {
        let set = try FixtureTests.segment("v\(format)/\(name)")
        let expected = try Self.expected(name, format: format)
        let last = try #require(expected.last).offset
        for offset in FixtureTests.starts(in: try readBatches(set), to: last + 1) {
            let batches = try readBatches(set, from: offset)
            #expect(try batches.flatMap { try $0.copyRecords() } == expected.filter { $0.offset >= offset })
            #expect(batches.allSatisfy { $0.lastOffset >= offset })
            let scan = try RecordBatchReader.scan(set, from: offset, topic: "t", partition: 3)
            #expect(scan.nextOffset == last + 1)
            #expect(!scan.isTooShort && scan.lastLeaderEpoch == -1)
        }
    }

    @Test func `a wrapper becomes a batch, and consecutive messages become one batch`() throws {
        for (name, codec) in [("gzip", Compression.gzip), ("many", .none)] {
            for format in [0, 1] {
                let batches = try readBatches(try FixtureTests.segment("v\(format)/\(name)"))
                try #require(batches.count == 1)
                #expect(batches[0].compression == codec)
                #expect(try batches[0].recordCount == FixtureTests.expected(name).count)
                #expect(batches[0].nextOffset == Int64(batches[0].recordCount))
            }
        }
    }

    @Test func `records have the broker's time with LogAppendTime`() throws {
        let batches = try readBatches(try FixtureTests.segment("v1/log-append-time"))
        #expect(batches.allSatisfy { $0.timestampType == .logAppendTime })
        #expect(batches.map(\.compression) == [.none, .gzip])
        let create = try readBatches(try FixtureTests.segment("v1/single"))
        #expect(create.allSatisfy { $0.timestampType == .createTime })
    }

    // MARK: Made by hand

    static func bigEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        stride(from: T.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> T($0)) }
    }

    static func field(_ bytes: [UInt8]?) -> [UInt8] {
        bigEndian(Int32(bytes?.count ?? -1)) + (bytes ?? [])
    }

    static func message(
        offset: Int64, format: Int8 = 1, attributes: UInt8 = 0, timestamp: Int64 = 1000, key: [UInt8]? = nil,
        value: [UInt8]? = [0x41], body: [UInt8]? = nil, length: Int32? = nil
    ) -> [UInt8] {
        var checked = [UInt8(bitPattern: format), attributes]
        if format == 1 { checked += bigEndian(timestamp) }
        checked += body ?? field(key) + field(value)
        let crc = LegacyMessage.crc(ByteSlice(checked).span)
        return bigEndian(offset) + bigEndian(length ?? Int32(checked.count + 4)) + bigEndian(crc) + checked
    }

    /// A message that contains others, compressed with gzip.
    static func wrapper(
        offset: Int64, format: Int8 = 1, attributes: UInt8 = 1, timestamp: Int64 = 5000, _ messages: [[UInt8]]
    ) throws -> [UInt8] {
        let value = try CompressionTests.compress(messages.flatMap { $0 }, .gzip)
        return message(offset: offset, format: format, attributes: attributes, timestamp: timestamp, value: value)
    }

    static func records(_ bytes: [UInt8], from offset: Int64 = 0) throws -> [CopiedRecord] {
        try readBatches(ByteSlice(bytes), from: offset).flatMap { try $0.copyRecords() }
    }

    @Test func `the checksum is zlib's CRC-32`() {
        #expect(LegacyMessage.crc(ByteSlice(Array("123456789".utf8)).span) == 0xcbf4_3926)
        #expect(LegacyMessage.crc(ByteSlice([]).span) == 0)
    }

    @Test func `in format 1 a wrapper has the last offset, and its inner offsets are relative`() throws {
        let inner = [Self.message(offset: 0), Self.message(offset: 2, key: []), Self.message(offset: 3)]
        let records = try Self.records(Self.wrapper(offset: 103, inner))
        #expect(records.map(\.offset) == [100, 102, 103])
        #expect(records.map(\.timestamp) == [1000, 1000, 1000])
        let batch = try readBatches(ByteSlice(Self.wrapper(offset: 103, inner)))[0]
        #expect(batch.baseOffset == 100 && batch.nextOffset == 104)
        let byBroker = try Self.records(Self.wrapper(offset: 103, attributes: 9, inner))
        #expect(byBroker.map(\.timestamp) == [5000, 5000, 5000])
    }

    @Test func `in format 0 a wrapper's inner offsets are absolute`() throws {
        let inner = [Self.message(offset: 100, format: 0), Self.message(offset: 102, format: 0, key: [1, 2])]
        let bytes = try Self.wrapper(offset: 102, format: 0, inner)
        #expect(try Self.records(bytes).map(\.offset) == [100, 102])
        #expect(try Self.records(bytes).map(\.timestamp) == [-1, -1])
        #expect(try Self.records(bytes).map(\.key) == [nil, [1, 2]])
    }

    @Test func `messages of different formats, codecs and times follow each other`() throws {
        let bytes =
            try Self.message(offset: 0, format: 0) + Self.message(offset: 1)
            + Self.message(offset: 2, attributes: 8, timestamp: 7)
            + Self.message(offset: 3, attributes: 8, timestamp: 8)
            + Self.wrapper(offset: 5, [Self.message(offset: 0), Self.message(offset: 1, timestamp: -7)])
            + Self.message(offset: 6) + Self.message(offset: 1 << 40) + Self.message(offset: 1 << 40 + 1)
        #expect(
            try Self.records(bytes).map(\.offset) == [0, 1, 2, 3, 4, 5, 6, 1 << 40, 1 << 40 + 1])
        #expect(
            try Self.records(bytes).map(\.timestamp) == [-1, 1000, 7, 8, 1000, -7, 1000, 1000, 1000])
        let batch = try RecordBatchBuilderTests.build([CopiedRecord(offset: 0, timestamp: 9, value: [1])]).finish()
        var newer = batch
        #expect(try Self.records(Self.message(offset: 0) + Array(newer.stamp())).map(\.timestamp) == [1000, 9])
    }

    @Test func `duplicate messages are returned once`() throws {
        let inner = [Self.message(offset: 0), Self.message(offset: 1), Self.message(offset: 2)]
        let bytes =
            try Self.message(offset: 4) + Self.message(offset: 5) + Self.message(offset: 4) + Self.message(offset: 5)
            + Self.wrapper(offset: 6, inner) + Self.wrapper(offset: 6, inner)
        #expect(try Self.records(bytes).map(\.offset) == [4, 5, 6])
    }

    @Test func `timestamps far apart keep their values`() throws {
        let times: [Int64] = [.min, .max, 0, -1]
        let bytes = times.enumerated().flatMap { Self.message(offset: Int64($0), timestamp: $1) }
        #expect(try Self.records(bytes).map(\.timestamp) == times)
    }

    @Test func `many messages become batches of bounded size`() throws {
        let value = [UInt8](repeating: 7, count: 300_000)
        let bytes = (0..<9).flatMap {
            Self.message(offset: Int64($0), value: $0 == 4 ? value + value + value + value : value)
        }
        let batches = try readBatches(ByteSlice(bytes))
        #expect(batches.map(\.recordCount).reduce(0, +) == 9)
        #expect(batches.count > 2)
        #expect(batches.allSatisfy { $0.byteCount < 1_600_000 })
        #expect(try batches.flatMap { try $0.copyRecords() }.map(\.offset) == Array(0..<9))
    }

    @Test func `malformed messages are rejected`() throws {
        let sound = Self.message(offset: 0)
        let malformed: [(String, [UInt8])] = [
            ("negative offset", Self.message(offset: -1)),
            ("largest offset", Self.message(offset: .max)),
            ("too short for format 1", Self.message(offset: 0, body: [0, 0, 0, 0])),
            ("key beyond the end", Self.message(offset: 0, body: Self.bigEndian(Int32(2)) + Self.field([1]))),
            ("key length -2", Self.message(offset: 0, body: Self.bigEndian(Int32(-2)) + Self.field([1]))),
            ("key length 2³¹ - 1", Self.message(offset: 0, body: Self.bigEndian(Int32.max) + Self.field([1]))),
            ("no value", Self.message(offset: 0, body: Self.field([1, 2, 3, 4]))),
            ("value beyond the end", Self.message(offset: 0, body: Self.field([]) + [0, 0, 0, 2, 1])),
            ("bytes left over", Self.message(offset: 0, body: Self.field([]) + Self.field([]) + [0])),
            ("compressed null", Self.message(offset: 0, attributes: 1, value: nil)),
            ("compressed nothing", try Self.wrapper(offset: 0, [])),
            ("compressed garbage", Self.message(offset: 0, attributes: 1, value: [1, 2, 3])),
            ("codec 5", Self.message(offset: 0, attributes: 5)),
            ("twice compressed", try Self.wrapper(offset: 0, [Self.wrapper(offset: 0, [sound])])),
            ("another format inside", try Self.wrapper(offset: 0, [Self.message(offset: 0, format: 0)])),
            ("cut off inside", try Self.wrapper(offset: 0, [sound, Array(sound.dropLast())])),
            ("offsets that don't ascend", try Self.wrapper(offset: 5, [sound, sound])),
            ("offsets below zero", try Self.wrapper(offset: 1, [sound, Self.message(offset: 7)])),
            ("offsets far apart", try Self.wrapper(offset: 1 << 40, [sound, Self.message(offset: 1 << 40)])),
            (
                "offsets beyond the wrapper's",
                try Self.wrapper(offset: 5, format: 0, [Self.message(offset: 6, format: 0)])
            ),
            ("wrong checksum inside", try Self.wrapper(offset: 0, [Self.damaged(sound)])),
            ("wrong checksum", Self.damaged(sound)),
        ]
        for (name, bytes) in malformed {
            let error = MalformedBatchTests.failure(ByteSlice(bytes))
            #expect(error?.code == (name == "codec 5" ? .unsupportedCompressionType : .corruptMessage), "\(name)")
        }
    }

    static func damaged(_ message: [UInt8]) -> [UInt8] {
        message.dropLast() + [message[message.count - 1] ^ 1]
    }

    @Test func `checksums are only verified if required`() throws {
        let bytes =
            Self.damaged(Self.message(offset: 0))
            + (try Self.wrapper(offset: 1, [Self.damaged(Self.message(offset: 0))]))
        let batches = try readBatches(ByteSlice(bytes), checksCRC: false)
        #expect(try batches.flatMap { try $0.copyRecords() }.map(\.value) == [[0x40], [0x40]])
    }

    @Test func `an inflation bomb in a wrapper is rejected`() throws {
        let bomb = try Self.wrapper(offset: 0, [Self.message(offset: 0, value: [UInt8](repeating: 0, count: 4 << 20))])
        #expect(MalformedBatchTests.failure(ByteSlice(bomb))?.code == .recordListTooLarge)
    }

    @Test(arguments: [0, 1]) func `a message that is truncated anywhere is skipped`(format: Int8) throws {
        let whole = Self.message(offset: 4, format: format, key: [1], value: [2])
        for count in 0..<whole.count {
            #expect(try Self.records(Array(whole.prefix(count))).isEmpty)
            #expect(try Self.records(whole + whole.prefix(count)).count == 1)
            let scan = try RecordBatchReader.scan(ByteSlice(whole.prefix(count)), from: 4, topic: "t", partition: 3)
            #expect(scan.isTooShort == (count > 0) && scan.nextOffset == 4)
        }
    }

    @Test(arguments: [0, 1]) func `flipped bits never trap, and the checksum detects them`(format: Int8) throws {
        let inner = [Self.message(offset: 0, format: format, key: [1]), Self.message(offset: 1, format: format)]
        let bytes = try Self.message(offset: 0, format: format) + Self.wrapper(offset: 1, format: format, inner)
        for position in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << bit
                if let batches = try? readBatches(ByteSlice(damaged), checksCRC: false) {
                    for batch in batches { _ = try? batch.copyRecords() }
                }
                _ = try? RecordBatchReader.scan(ByteSlice(damaged), from: 0, topic: "t", partition: 3)
            }
        }
    }
}
