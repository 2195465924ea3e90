import Concurrency
import Foundation
import Testing

import enum TestSupport.LongTests

@testable import KafkaWire

/// Compares a real broker's segments (Fixtures/make-records.sh) with the records that the Java client read from them.
@Suite struct FixtureTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Fixtures/records").standardized

    private struct Expected: Decodable {
        struct Record: Decodable {
            var offset: Int64
            var timestamp: Int64
            var key: String?
            var value: String?
            var headers: [Header]
        }

        struct Header: Decodable {
            var name: String
            var value: String?
        }

        var records: [Record]
    }

    static func bytes(hexadecimal: String) throws -> [UInt8] {
        var values: [UInt8] = []
        for digit in hexadecimal.utf8 {
            values.append(UInt8(try #require(Character(UnicodeScalar(digit)).hexDigitValue)))
        }
        try #require(values.count.isMultiple(of: 2))
        return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }

    private static let known = Lock<[String: [CopiedRecord]]>([:])

    static func expected(_ name: String) throws -> [CopiedRecord] {
        // These topics have the same records.
        let name = ["snappy", "lz4", "zstd"].contains(name) ? "codecs" : name
        if let records = known.withLock({ $0[name] }) { return records }
        let data = try Data(contentsOf: folder.appending(path: "\(name).json"))
        let records = try JSONDecoder().decode(Expected.self, from: data).records.map { record in
            CopiedRecord(
                offset: record.offset, timestamp: record.timestamp, key: try record.key.map(bytes),
                value: try record.value.map(bytes),
                headers: try record.headers.map {
                    CopiedHeader(name: try bytes(hexadecimal: $0.name), value: try $0.value.map(bytes))
                })
        }
        known.withLock { $0[name] = records }
        return records
    }

    static func segment(_ name: String) throws -> ByteSlice {
        ByteSlice(try Data(contentsOf: folder.appending(path: "\(name).log")))
    }

    /// Offsets to read from: around the ends of batches, and some within them; all offsets in the long tests.
    ///
    /// - Parameter end: The offset after the last one.
    static func starts(in batches: [RecordBatch], to end: Int64) -> [Int64] {
        if LongTests.areEnabled { return Array(0...end) }
        var starts: Set<Int64> = [0, 1, end]
        for batch in batches {
            let (first, next) = (batch.baseOffset, batch.nextOffset)
            starts.formUnion([first - 1, first, first + 1, (first + next) / 2, next - 1, next])
        }
        return starts.filter { (0...end).contains($0) }.sorted()
    }

    static let names =
        [
            "single", "many", "nulls", "headers", "gzip", "large", "log-append-time", "idempotent", "transactions",
            "compacted",
        ] + codecs.map { "\($0)" }

    static let codecs = [Compression.snappy, .lz4, .zstd].filter(\.isAvailable)

    @Test(arguments: names) func `every record is equal to the Java consumer's`(name: String) throws {
        let batches = try readBatches(try Self.segment(name))
        let records = try batches.filter { !$0.isControl }.flatMap { try $0.copyRecords() }
        #expect(try records == Self.expected(name))
    }

    @Test(arguments: names) func `a read from any offset begins at that offset`(name: String) throws {
        let segment = try Self.segment(name)
        let expected = try Self.expected(name)
        let all = try readBatches(segment)
        let last = try #require(all.last).lastOffset
        for offset in Self.starts(in: all, to: last + 1) {
            let batches = try readBatches(segment, from: offset)
            let records = try batches.filter { !$0.isControl }.flatMap { try $0.copyRecords() }
            #expect(records == expected.filter { $0.offset >= offset })
            #expect(batches.allSatisfy { $0.lastOffset >= offset })
            let scan = try RecordBatchReader.scan(segment, from: offset, topic: "t", partition: 3)
            #expect(scan.nextOffset == last + 1)
        }
    }

    @Test(arguments: names) func `a scan counts batches, records and bytes`(name: String) throws {
        let segment = try Self.segment(name)
        let batches = try readBatches(segment)
        let scan = try RecordBatchReader.scan(segment, from: 0, topic: "t", partition: 3)
        #expect(scan.batchCount == batches.count)
        #expect(scan.recordCount == batches.reduce(0) { $0 + $1.recordCount })
        #expect(scan.byteCount == segment.count)
        #expect(!scan.isTooShort && scan.cutOffByteCount == nil)
    }

    @Test(arguments: codecs) func `batches have the codec of the Java producer`(codec: Compression) throws {
        let batches = try readBatches(try Self.segment("\(codec)"))
        #expect(batches.map(\.compression) == [codec, codec])
        // More than one block of the codec, and records of each kind.
        #expect(batches[0].byteCount > 64 << 10)
        let records = try batches[0].copyRecords()
        #expect(records.contains { $0.key == nil && $0.value == nil && $0.headers.isEmpty })
        #expect(records.contains { $0.key == nil && $0.value == nil && !$0.headers.isEmpty })
        #expect(records.contains { $0.key != nil && $0.value != nil && $0.headers.contains { $0.value == nil } })
    }

    @Test func `control batches have each transaction's outcome`() throws {
        let batches = try readBatches(try Self.segment("transactions"))
        let ends = try batches.compactMap { try $0.controlRecordType() }
        #expect(ends == [.commit, .abort, .commit])
        #expect(batches.allSatisfy { $0.isTransactional && $0.producerID >= 0 })
        #expect(batches.filter(\.isControl).count == 3)
    }

    @Test func `an idempotent producer's sequence continues`() throws {
        let batches = try readBatches(try Self.segment("idempotent"))
        #expect(batches.map(\.baseSequence) == [0, 4, 8])
        #expect(Set(batches.map(\.producerID)).count == 1)
        #expect(batches.allSatisfy { $0.producerEpoch == 0 && !$0.isTransactional })
    }

    @Test func `compaction leaves offsets without records`() throws {
        let batches = try readBatches(try Self.segment("compacted"))
        let empty = batches.filter { $0.recordCount == 0 }
        #expect(!empty.isEmpty)
        #expect(zip(batches, batches.dropFirst()).allSatisfy { $0.nextOffset == $1.baseOffset })
        for batch in empty { #expect(try batch.copyRecords().isEmpty) }
    }

    @Test func `records have the broker's time with LogAppendTime`() throws {
        let batches = try readBatches(try Self.segment("log-append-time"))
        #expect(batches.map(\.timestampType) == [.logAppendTime, .logAppendTime])
        #expect(batches.map(\.compression) == [.none, .gzip])
        for batch in batches {
            #expect(try batch.copyRecords().allSatisfy { $0.timestamp == batch.maxTimestamp.millisecondsSince1970 })
            // The producer's own times are from 2023.
            #expect(batch.maxTimestamp.millisecondsSince1970 > 1_750_000_000_000)
        }
    }

    /// The broker sets the offset and the leader epoch: bytes 0..<8 and 12..<16.
    @Test(arguments: ["single", "many", "nulls", "headers", "large"])
    func `the builder writes the bytes that Java writes`(name: String) throws {
        let stored = Array(try Self.segment(name))
        var batch = try RecordBatchBuilderTests.build(try Self.expected(name)).finish()
        let built = Array(batch.stamp())
        try #require(built.count == stored.count)
        #expect(built[8..<12] == stored[8..<12])
        #expect(built[16...] == stored[16...])
    }

    @Test func `keys hash as in Java`() throws {
        struct Vector: Decodable {
            struct Choice: Decodable {
                var count: Int32
                var partition: Int32
            }

            var key: String
            var hash: Int32
            var partitions: [Choice]
        }
        let data = try Data(contentsOf: Self.folder.appending(path: "murmur2.json"))
        let vectors = try JSONDecoder().decode([Vector].self, from: data)
        #expect(vectors.count > 40)
        for vector in vectors {
            let key = ByteSlice(try Self.bytes(hexadecimal: vector.key))
            #expect(Murmur2.hash(key.span) == vector.hash)
            for choice in vector.partitions {
                #expect(Murmur2.partition(forKey: key.span, count: choice.count) == choice.partition)
            }
        }
    }
}
