import Testing

@testable import KafkaWire

/// A copy of a record's fields.
struct CopiedRecord: Equatable, Sendable {
    var offset: Int64
    var timestamp: Int64
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [CopiedHeader] = []
}

struct CopiedHeader: Equatable, Sendable {
    var name: [UInt8]
    var value: [UInt8]?
}

extension RecordBatch {
    /// Copies of all records.
    func copyRecords() throws(KafkaError) -> [CopiedRecord] {
        var copies: [CopiedRecord] = []
        var records = makeIterator()
        while let record = try records.next() {
            var copy = CopiedRecord(offset: record.offset, timestamp: record.timestamp.millisecondsSince1970)
            if let key = record.key { copy.key = Array(key) }
            if let value = record.value { copy.value = Array(value) }
            var headers = record.headers.makeIterator()
            while let header = headers.next() {
                var headerCopy = CopiedHeader(name: Array(header.name))
                if let value = header.value { headerCopy.value = Array(value) }
                copy.headers.append(headerCopy)
            }
            copies.append(copy)
        }
        return copies
    }
}

/// The batches in `records`, read as topic `t`, partition 3.
func readBatches(
    _ records: ByteSlice, from offset: Int64 = 0, checksCRC: Bool = true, maximumInflatedBytes: Int = 1 << 24
) throws(KafkaError) -> [RecordBatch] {
    var reader = RecordBatchReader(
        topic: "t", partition: 3, records: records, from: offset, checksCRC: checksCRC,
        maximumInflatedBytes: maximumInflatedBytes, pool: BufferPool(limit: 0))
    var batches: [RecordBatch] = []
    while let batch = try reader.next() { batches.append(batch) }
    return batches
}

@Suite struct RecordBatchBuilderTests {
    /// Records with every kind of field, and integers of every length.
    static let samples: [CopiedRecord] = {
        var samples = [
            CopiedRecord(offset: 0, timestamp: 1_700_000_000_000, key: nil, value: nil),
            CopiedRecord(offset: 1, timestamp: 1_700_000_000_000, key: [], value: []),
            CopiedRecord(offset: 2, timestamp: 0, key: [1, 2, 3], value: nil),
            CopiedRecord(offset: 3, timestamp: .max, key: nil, value: [9]),
            CopiedRecord(offset: 4, timestamp: -1, key: [0xff], value: [UInt8](repeating: 7, count: 63)),
            CopiedRecord(
                offset: 5, timestamp: 1_700_000_000_001, key: [1], value: [UInt8](repeating: 8, count: 64),
                headers: [
                    CopiedHeader(name: Array("trace-id".utf8), value: [1, 2]),
                    CopiedHeader(name: [], value: []),
                    CopiedHeader(name: Array("größe".utf8), value: nil),
                ]),
        ]
        for (index, count) in [8191, 8192, 1_048_575, 1_048_576].enumerated() {
            samples.append(
                CopiedRecord(
                    offset: Int64(6 + index), timestamp: 1_700_000_000_000 + Int64(count), key: nil,
                    value: [UInt8](repeating: UInt8(index), count: count)))
        }
        return samples
    }()

    static func build(_ records: [CopiedRecord], capacity: Int = 0) throws -> RecordBatchBuilder {
        var builder = RecordBatchBuilder(reserving: capacity, pool: BufferPool(limit: 1 << 20))
        for record in records {
            let headers = record.headers.map { RecordHeader(String(decoding: $0.name, as: UTF8.self), $0.value) }
            let before = builder.byteCount
            try builder.append(
                key: record.key, value: record.value, headers: headers, timestamp: record.timestamp)
            #expect(
                builder.byteCount - before
                    <= RecordBatchBuilder.sizeBound(
                        keyCount: record.key?.count ?? 0, valueCount: record.value?.count ?? 0, headers: headers))
        }
        return builder
    }

    @Test(arguments: [Compression.none, .gzip], [0, 61, 4096, 4 << 20])
    func `a built batch decodes to the appended records`(compression: Compression, capacity: Int) throws {
        let builder = try Self.build(Self.samples, capacity: capacity)
        let byteCount = builder.byteCount
        #expect(builder.recordCount == Self.samples.count)
        var batch = try builder.finish(compression: compression)
        #expect(batch.uncompressedByteCount == byteCount)
        #expect(batch.recordCount == Self.samples.count)
        let bytes = batch.stamp()
        #expect(bytes.count == batch.byteCount)
        let batches = try readBatches(bytes)
        try #require(batches.count == 1)
        #expect(batches[0].compression == compression)
        #expect(batches[0].byteCount == byteCount - 61)
        #expect(batches[0].wireByteCount == bytes.count)
        #expect(batches[0].firstTimestamp.millisecondsSince1970 == 1_700_000_000_000)
        #expect(batches[0].maxTimestamp.millisecondsSince1970 == .max)
        #expect(try batches[0].copyRecords() == Self.samples)
    }

    @Test func `a batch can be stamped again while the bytes of the first stamp are in use`() throws {
        var batch = try Self.build([CopiedRecord(offset: 0, timestamp: 5, value: [1])]).finish()
        let first = batch.stamp(producerID: 1, producerEpoch: 2, baseSequence: 3, isTransactional: true)
        let second = batch.stamp(producerID: 4, producerEpoch: 5, baseSequence: 6)
        for (bytes, id, isTransactional) in [(first, 1, true), (second, 4, false)] as [(ByteSlice, Int64, Bool)] {
            let read = try readBatches(bytes)
            try #require(read.count == 1)
            #expect(read[0].producerID == id)
            #expect(Int64(read[0].producerEpoch) == id + 1)
            #expect(Int64(read[0].baseSequence) == id + 2)
            #expect(read[0].isTransactional == isTransactional)
            #expect(try read[0].copyRecords() == [CopiedRecord(offset: 0, timestamp: 5, value: [1])])
        }
    }

    @Test func `a copy of a builder is independent`() throws {
        var one = try Self.build([CopiedRecord(offset: 0, timestamp: 5, value: [1])], capacity: 4096)
        var other = one
        try one.append(key: nil, value: [2], timestamp: 6)
        try other.append(key: nil, value: [3], timestamp: 7)
        for (builder, value) in [(one, 2), (other, 3)] as [(RecordBatchBuilder, UInt8)] {
            var batch = try builder.finish()
            let values = try readBatches(batch.stamp())[0].copyRecords().map(\.value)
            #expect(values == [[1], [value]])
        }
    }

    @Test func `the size bound of a record doesn't overflow`() {
        #expect(RecordBatchBuilder.sizeBound(keyCount: .max, valueCount: .max) == .max)
        #expect(RecordBatchBuilder.sizeBound(keyCount: 0, valueCount: 0) < 64)
    }
}
