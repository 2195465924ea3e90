import Foundation
import KafkaWire
import Testing

/// Record batches that librdkafka and the Java client sent to a broker (Fixtures/record-frames.sh).
@Suite struct RecordedBatchTests {
    struct Batch: Sendable, CustomTestStringConvertible {
        let source: String
        let records: ByteSlice

        var testDescription: String { source }
    }

    static func all() throws -> [Batch] {
        try GoldenFrame.all().filter { $0.messageName == "ProduceRequest" }.flatMap { frame in
            var header = WireReader(ByteSlice(frame.bytes), isFlexible: false)
            (_, _, _, _) = (header.int16(), header.int16(), header.int32(), header.nullableString())
            if ProduceRequest.isFlexible(frame.version) { _ = header.int8() }
            var body = WireReader(
                ByteSlice(frame.bytes[header.position...]), isFlexible: ProduceRequest.isFlexible(frame.version))
            let request = ProduceRequest(from: &body, version: frame.version)
            try body.finish()
            let batches = request.topicData.flatMap(\.partitionData).compactMap(\.records).filter { records in
                let codec = RecordBatchHeader(records.span).attributes.codec
                return Compression(rawValue: codec).isAvailable
            }
            return batches.enumerated().map { index, records in
                Batch(source: "\(frame.source)-\(frame.version)-\(frame.bytes.count)-\(index)", records: records)
            }
        }
    }

    @Test(arguments: try all()) func `every record is read`(batch: Batch) throws {
        let batches = try readBatches(batch.records)
        #expect(!batches.isEmpty)
        for batch in batches {
            #expect(try batch.copyRecords().count == batch.recordCount)
        }
    }
}
