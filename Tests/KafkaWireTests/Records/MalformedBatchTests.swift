import Testing

@testable import KafkaWire

/// Malformed batches: each is an error, never a trap.
@Suite struct MalformedBatchTests {
    /// A batch around the given bytes of records.
    static func batch(
        _ records: [UInt8], count: Int32 = 1, lastOffsetDelta: Int32? = nil, attributes: Int16 = 0,
        baseOffset: Int64 = 0
    ) -> ByteSlice {
        var header = RecordBatchHeader()
        header.baseOffset = baseOffset
        header.batchLength = Int32(49 + records.count)
        header.attributes = RecordBatchHeader.Attributes(rawValue: attributes)
        header.recordCount = count
        header.lastOffsetDelta = lastOffsetDelta ?? max(count - 1, 0)
        let storage = ByteStorage(capacity: 61 + records.count)
        unsafe header.store(at: storage.base)
        unsafe UnsafeMutableRawBufferPointer(start: storage.base + 61, count: records.count)
            .copyBytes(from: records)
        let bytes = ByteSlice(storage, 0..<61 + records.count)
        header.crc = CRC32C.checksum(bytes.span.extracting(21...))
        unsafe header.store(at: storage.base)
        return bytes
    }

    /// A record with only the value "A", by its fields.
    static func record(
        length: [UInt8]? = nil, attributes: [UInt8] = [0], timestamp: [UInt8] = [0], offset: [UInt8] = [0],
        key: [UInt8] = [1], value: [UInt8] = [2, 0x41], headers: [UInt8] = [0]
    ) -> [UInt8] {
        let body = attributes + timestamp + offset + key + value + headers
        return (length ?? [UInt8(body.count * 2)]) + body
    }

    /// Reads every record, and returns the error; checks that it has topic, partition and offset.
    static func failure(_ bytes: ByteSlice, maximumInflatedBytes: Int = 1 << 20) -> KafkaError? {
        do throws(KafkaError) {
            for batch in try readBatches(bytes, maximumInflatedBytes: maximumInflatedBytes) {
                _ = try batch.copyRecords()
            }
            return nil
        } catch {
            #expect(error.topic == "t" && error.partition == 3 && error.offset != nil)
            return error
        }
    }

    @Test func `the handmade record is valid`() throws {
        #expect(Self.failure(Self.batch(Self.record())) == nil)
        let two = Self.record() + Self.record(offset: [2])
        let batches = try readBatches(Self.batch(two, count: 2))
        #expect(
            try batches[0].copyRecords() == [
                CopiedRecord(offset: 0, timestamp: -1, key: nil, value: [0x41]),
                CopiedRecord(offset: 1, timestamp: -1, key: nil, value: [0x41]),
            ])
    }

    static let malformedRecords: [(String, [UInt8])] = [
        ("length beyond the batch", record(length: [18])),
        ("length shorter than the fields", record(length: [12])),
        ("negative length", record(length: [1])),
        ("length of zero", record(length: [0])),
        ("length of six bytes", record(length: [0x90, 0x80, 0x80, 0x80, 0x80, 0])),
        ("length of 33 bits", record(length: [0x90, 0x80, 0x80, 0x80, 0x10])),
        ("timestamp of eleven bytes", record(timestamp: [UInt8](repeating: 0x80, count: 10) + [0])),
        ("timestamp of 65 bits", record(timestamp: [UInt8](repeating: 0x80, count: 9) + [2])),
        ("offset of six bytes", record(offset: [0x80, 0x80, 0x80, 0x80, 0x80, 0])),
        ("negative offset", record(offset: [1])),
        ("offset beyond the last", record(offset: [2])),
        ("key length below -1", record(key: [3])),
        ("key length beyond the record", record(key: [40])),
        ("key length of 2³¹ - 1", record(key: [0xfe, 0xff, 0xff, 0xff, 0x0f])),
        ("key length of -2³¹", record(key: [0xff, 0xff, 0xff, 0xff, 0x0f])),
        ("value length below -1", record(value: [3, 0x41])),
        ("value length beyond the record", record(value: [40, 0x41])),
        ("value length of 2³¹ - 1", record(value: [0xfe, 0xff, 0xff, 0xff, 0x0f, 0x41])),
        ("negative header count", record(headers: [1])),
        ("missing headers", record(headers: [2])),
        ("very many headers", record(headers: [0xfe, 0xff, 0xff, 0xff, 0x0f])),
        ("header name length -1", record(headers: [2, 1, 1])),
        ("header name beyond the record", record(headers: [2, 40, 0x41, 1])),
        ("header value length below -1", record(headers: [2, 2, 0x41, 3])),
        ("header value beyond the record", record(headers: [2, 2, 0x41, 40])),
        ("bytes after the headers", record(headers: [0, 0])),
        ("bytes after the counted headers", record(headers: [2, 2, 0x41, 1, 0])),
    ]

    /// Different code decodes a record at the end of a batch and in the middle.
    @Test(arguments: malformedRecords.indices, [0, 40])
    func `a malformed record is an error`(index: Int, padding: Int) throws {
        let (name, malformed) = Self.malformedRecords[index]
        var records = malformed
        var count: Int32 = 1
        if padding > 0 {
            records += Self.record(offset: [2], value: [UInt8(padding * 2)] + [UInt8](repeating: 0, count: padding))
            count = 2
        }
        // If the first record has the second one's offset, the second one is the error.
        let error = Self.failure(Self.batch(records, count: count))
        #expect(error?.code == .corruptMessage, "\(name)")
    }

    @Test func `offsets must ascend`() {
        let twice = Self.record(offset: [2]) + Self.record(offset: [2])
        #expect(Self.failure(Self.batch(twice, count: 2))?.code == .corruptMessage)
        let back = Self.record(offset: [4]) + Self.record(offset: [2])
        #expect(Self.failure(Self.batch(back, count: 2, lastOffsetDelta: 2))?.code == .corruptMessage)
    }

    @Test func `the number of records must be correct`() {
        let one = Self.record()
        for (count, last) in [(0, 0), (2, 1), (-1, 0), (Int32.max, Int32.max)] as [(Int32, Int32)] {
            let bytes = Self.batch(one, count: count, lastOffsetDelta: last)
            #expect(Self.failure(bytes)?.code == .corruptMessage, "\(count) records")
        }
        let trailing = Self.batch(one + [0])
        #expect(Self.failure(trailing)?.code == .corruptMessage)
        // More records than offsets.
        #expect(Self.failure(Self.batch(one + one, count: 2, lastOffsetDelta: 0))?.code == .corruptMessage)
        #expect(Self.failure(Self.batch([], count: 0, lastOffsetDelta: 5)) == nil)
    }

    @Test func `a batch with more records than its bytes or offsets allow is rejected before a record is read`() {
        let records = Self.record() + Self.record(offset: [2])
        #expect(throws: KafkaError.self) { try readBatches(Self.batch(records, count: 3)) }
        let tooMany = Self.batch(records, count: 2, lastOffsetDelta: 0)
        #expect(throws: KafkaError.self) { try readBatches(tooMany) }
        #expect(throws: KafkaError.self) { try RecordBatchReader.scan(tooMany, from: 0, topic: "t", partition: 3) }
    }

    @Test func `a scan continues after the offsets that compaction has removed`() throws {
        let compacted = Self.batch(
            Self.record() + Self.record(offset: [2]), count: 2, lastOffsetDelta: 9, baseOffset: 5)
        #expect(try RecordBatchReader.scan(compacted, from: 0, topic: "t", partition: 3).nextOffset == 15)
        #expect(try readBatches(compacted).map(\.nextOffset) == [15])
    }

    @Test func `an error repeats, and the records before it are valid`() throws {
        let batches = try readBatches(Self.batch(Self.record() + Self.record(offset: [2], key: [3]), count: 2))
        let batch = batches[0]
        var records = batch.makeIterator()
        let first = try #require(try records.next()?.offset)
        #expect(first == 0)
        for _ in 0..<2 {
            #expect(throws: KafkaError.self) { _ = try records.next()?.offset }
        }
    }

    @Test func `impossible offsets are rejected`() {
        for (base, last) in [(-1, 0), (Int64.max, 0), (Int64.max - 4, 4), (0, -1)] as [(Int64, Int32)] {
            let bytes = Self.batch(Self.record(), lastOffsetDelta: last, baseOffset: base)
            #expect(Self.failure(bytes)?.code == .corruptMessage, "base \(base), last delta \(last)")
            #expect(throws: KafkaError.self) {
                try RecordBatchReader.scan(bytes, from: 0, topic: "t", partition: 3)
            }
        }
    }

    @Test func `impossible batch lengths are rejected`() {
        for length: Int32 in [.min, -1, 0, 13, 48] {
            var bytes = Array(Self.batch(Self.record()))
            bytes.replaceSubrange(8..<12, with: (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) })
            #expect(Self.failure(ByteSlice(bytes))?.code == .corruptMessage, "\(length)")
        }
    }

    @Test(arguments: [3, 0x82]) func `other message formats are named`(magic: UInt8) throws {
        var bytes = Array(Self.batch(Self.record(), baseOffset: 77))
        bytes[16] = magic
        let error = try #require(Self.failure(ByteSlice(bytes)))
        #expect(error.code == .unsupportedForMessageFormat)
        #expect(error.offset == 77)
        #expect(error.message.contains("format \(Int8(bitPattern: magic))"))
    }

    @Test(arguments: [5, 6, 7]) func `unknown codecs are named`(codec: Int16) throws {
        let error = try #require(Self.failure(Self.batch(Self.record(), attributes: codec)))
        #expect(error.code == .unsupportedCompressionType)
        #expect(error.message.contains("codec \(codec)"))
    }

    // MARK: Every byte of a batch

    static let small: [UInt8] = {
        let records =
            record(key: [2, 0x4b], headers: [2, 2, 0x41, 1]) + record(offset: [2]) + record(offset: [4], headers: [0])
        return Array(batch(records, count: 3))
    }()

    @Test func `a batch that is truncated anywhere is skipped`() throws {
        let whole = Self.small
        for count in 0..<whole.count {
            let one = ByteSlice(whole.prefix(count))
            #expect(try readBatches(one).isEmpty)
            let scan = try RecordBatchReader.scan(one, from: 9, topic: "t", partition: 3)
            #expect(scan.isTooShort == (count > 0))
            #expect(scan.cutOffByteCount == (count < 12 ? nil : whole.count))
            #expect(scan.batchCount == 0 && scan.nextOffset == 9)
            let two = ByteSlice(whole + whole.prefix(count))
            #expect(try readBatches(two).count == 1)
            #expect(try !RecordBatchReader.scan(two, from: 0, topic: "t", partition: 3).isTooShort)
        }
    }

    /// The checksum doesn't cover the first 17 bytes, with the offset and the leader epoch.
    @Test func `a flipped bit is detected wherever the checksum covers it`() throws {
        for position in Self.small.indices {
            for bit in 0..<8 {
                var bytes = Self.small
                bytes[position] ^= 1 << bit
                let error = Self.failure(ByteSlice(bytes))
                if position >= 17 { #expect(error?.code == .corruptMessage, "bit \(bit) of byte \(position)") }
                _ = try? RecordBatchReader.scan(ByteSlice(bytes), from: 0, topic: "t", partition: 3)
            }
        }
    }

    @Test func `a flipped bit without checksum verification never traps`() {
        for position in Self.small.indices {
            for bit in 0..<8 {
                var bytes = Self.small
                bytes[position] ^= 1 << bit
                guard let batches = try? readBatches(ByteSlice(bytes), checksCRC: false) else { continue }
                for batch in batches {
                    _ = try? batch.copyRecords()
                    _ = try? batch.controlRecordType()
                }
            }
        }
    }

    @Test func `the error for a wrong checksum has both values`() throws {
        var bytes = Self.small
        bytes[17...20] = [0, 0, 0x12, 0x34]
        let error = try #require(Self.failure(ByteSlice(bytes)))
        let actual = String(CRC32C.checksum(ByteSlice(bytes).span.extracting(21...)), radix: 16)
        #expect(error.message.contains("0x00001234"))
        #expect(error.message.contains(actual))
    }
}
