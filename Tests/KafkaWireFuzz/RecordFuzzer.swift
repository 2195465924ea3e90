import KafkaWire

/// Decodes arbitrary bytes as the records of a fetched partition, in all formats and codecs, and reads every record.
///
/// The reader must return batches or throw an error. Every batch must be within the size limit, and the reader must
/// advance.
package enum RecordFuzzer {
    /// The largest decompressed size of a batch in bytes.
    package static let maximumInflatedBytes = 128 << 10

    /// A seed: whether to verify checksums, and the requested offset, then the records.
    package static func input(checksCRC: Bool, offset: UInt8, records: some Collection<UInt8>) -> [UInt8] {
        [checksCRC ? 1 : 0, offset] + records
    }

    /// The contents of an input.
    package struct Found {
        package var batchCount = 0
        package var recordCount = 0
        package var error: KafkaError?
    }

    /// - Throws: `FuzzFinding`
    @discardableResult
    package static func run(_ input: ByteSlice) throws(FuzzFinding) -> Found {
        var found = Found()
        guard input.count >= 2 else { return found }
        let bytes = Array(input.slice(0..<2))
        let checksCRC = bytes[0] & 1 == 1
        let offset = Int64(bytes[1])
        let records = input.slice(2..<input.count)
        let scan = try? RecordBatchReader.scan(records, from: offset, topic: "t", partition: 0)
        var reader = RecordBatchReader(
            topic: "t", partition: 0, records: records, from: offset, checksCRC: checksCRC,
            maximumInflatedBytes: maximumInflatedBytes, pool: BufferPool(limit: 0))
        while let batch = next(&reader, &found) {
            found.batchCount += 1
            try check(batch, of: records, offset: offset)
            try walk(batch, &found)
            _ = try? batch.controlRecordType()
        }
        if let scan, found.error == nil, scan.nextOffset < reader.nextOffset {
            throw FuzzFinding("a scan ends at \(scan.nextOffset), the reader at \(reader.nextOffset)")
        }
        return found
    }

    private static func next(_ reader: inout RecordBatchReader, _ found: inout Found) -> RecordBatch? {
        do throws(KafkaError) {
            return try reader.next()
        } catch {
            found.error = error
            return nil
        }
    }

    private static func check(_ batch: RecordBatch, of records: ByteSlice, offset: Int64) throws(FuzzFinding) {
        guard batch.byteCount <= max(maximumInflatedBytes, records.count) else {
            throw FuzzFinding("a batch has \(batch.byteCount) bytes after decompression")
        }
        guard batch.wireByteCount <= records.count else {
            throw FuzzFinding("a batch in \(records.count) bytes of records has the wire size \(batch.wireByteCount)")
        }
        guard batch.baseOffset >= 0, batch.lastOffset >= batch.baseOffset, batch.nextOffset > offset else {
            throw FuzzFinding("a batch has offsets \(batch.baseOffset) to \(batch.lastOffset), requested was \(offset)")
        }
    }

    /// Reads the records, which may be malformed; the reader then continues with the next batch.
    private static func walk(_ batch: RecordBatch, _ found: inout Found) throws(FuzzFinding) {
        var records = batch.makeIterator()
        var last = batch.firstOffset - 1
        var count = 0
        var byteCount = 0
        var isInOrder = true
        do throws(KafkaError) {
            while let record = try records.next() {
                isInOrder = isInOrder && record.offset > last && record.offset <= batch.lastOffset
                last = record.offset
                count += 1
                byteCount += size(record.key) + size(record.value)
                var headers = record.headers.makeIterator()
                while let header = headers.next() { byteCount += size(header.name) + size(header.value) }
            }
        } catch {
            found.error = error
            return
        }
        found.recordCount += count
        guard isInOrder, count <= batch.recordCount, byteCount <= batch.byteCount else {
            throw FuzzFinding(
                "\(count) records, in order: \(isInOrder), have \(byteCount) bytes, their batch \(batch.byteCount)")
        }
    }

    /// The size of a field in bytes. Copies each byte, so that a sanitizer checks the access.
    private static func size(_ field: RawSpan?) -> Int {
        guard let field else { return 0 }
        return Array(field).count
    }
}
