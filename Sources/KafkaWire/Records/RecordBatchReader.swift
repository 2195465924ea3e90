/// Reads the record batches of one fetched partition, and converts messages of formats 0 and 1 to batches.
///
/// A broker may truncate the last batch at its byte limit. The reader skips a truncated batch, and batches that end
/// before the requested offset.
package struct RecordBatchReader: Sendable {
    // Internal for `RecordBatchReader+Messages`.
    let topic: String
    let partition: Int32
    let bytes: ByteSlice
    let checksCRC: Bool
    let maximumInflatedBytes: Int
    let pool: BufferPool
    let firstOffset: Int64
    var position = 0
    /// The aborted transactions, whose batches are returned without records; nil to return their records too.
    private var transactions: AbortedTransactions?

    /// The offset after the batches read so far.
    package internal(set) var nextOffset: Int64

    /// - Parameters:
    ///   - records: The partition's bytes from the response: any number of batches.
    ///   - offset: The requested offset.
    ///   - checksCRC: Whether to verify each batch's checksum (Kafka's `check.crcs`).
    ///   - maximumInflatedBytes: The largest decompressed size of a batch in bytes.
    ///   - pool: The pool for the memory of decompressed records.
    ///   - transactions: The aborted transactions to leave out; nil to return their records too.
    package init(
        topic: String, partition: Int32, records: ByteSlice, from offset: Int64, checksCRC: Bool = true,
        maximumInflatedBytes: Int, pool: BufferPool, leavingOut transactions: AbortedTransactions? = nil
    ) {
        self.topic = topic
        self.partition = partition
        bytes = records
        firstOffset = offset
        nextOffset = offset
        self.checksCRC = checksCRC
        self.maximumInflatedBytes = maximumInflatedBytes
        self.pool = pool
        self.transactions = transactions
    }

    /// The next batch, which may be a control batch; nil after the last complete one.
    ///
    /// - Throws: `CORRUPT_MESSAGE`, `UNSUPPORTED_FOR_MESSAGE_FORMAT`, `UNSUPPORTED_COMPRESSION_TYPE`, or
    ///   `RECORD_LIST_TOO_LARGE` for a batch beyond `maximumInflatedBytes`. Later calls throw the same error.
    package mutating func next() throws(KafkaError) -> RecordBatch? {
        while true {
            let rest = bytes.slice(position..<bytes.count)
            let framing = try RecordBatchHeader.framing(rest.span, topic: topic, partition: partition)
            guard case .batch(let byteCount) = framing else {
                guard case .message(let byteCount) = framing else { return nil }
                if let batch = try nextMessageBatch(byteCount: byteCount) { return batch }
                continue
            }
            let batch = rest.slice(0..<byteCount)
            let header = RecordBatchHeader(batch.span)
            if checksCRC { try checkCRC(batch, header) }
            if let problem = header.problem() {
                throw KafkaError(
                    .corruptMessage, "a record batch's header is invalid: \(problem)", topic: topic,
                    partition: partition, offset: header.baseOffset)
            }
            let lastOffset = header.baseOffset + Int64(header.lastOffsetDelta)
            if lastOffset >= firstOffset {
                let decoded: RecordBatch
                do throws(KafkaError) {
                    let isAborted = transactions?.isAborted(header) ?? false
                    decoded = try isAborted ? aborted(header) : decode(batch, header)
                    if decoded.isControl { try transactions?.end(decoded) }
                } catch {
                    var error = error
                    error.topic = topic
                    error.partition = partition
                    error.offset = header.baseOffset
                    throw error
                }
                position += byteCount
                nextOffset = decoded.nextOffset
                return decoded
            }
            position += byteCount
        }
    }

    private func checkCRC(_ batch: ByteSlice, _ header: RecordBatchHeader) throws(KafkaError) {
        let crc = CRC32C.checksum(batch.span.extracting(RecordBatchHeader.checkedFrom...))
        guard crc == header.crc else {
            throw KafkaError(
                .corruptMessage,
                """
                a record batch's checksum is \(hexadecimal(crc)) instead of \(hexadecimal(header.crc)): \
                its bytes were changed in transit or on the broker's disk
                """,
                topic: topic, partition: partition, offset: header.baseOffset)
        }
    }

    private func decode(_ batch: ByteSlice, _ header: RecordBatchHeader) throws(KafkaError) -> RecordBatch {
        let compression = try Compression(codec: header.attributes.codec)
        var content = batch.slice(RecordBatchHeader.byteCount..<batch.count)
        // Compaction may leave a batch without any bytes to decompress, not even a codec's header.
        if header.recordCount > 0 || !content.isEmpty {
            content = try compression.decompress(content, maximumBytes: maximumInflatedBytes, pool: pool)
        }
        guard Int(header.recordCount) <= content.count / Self.smallestRecord else {
            throw KafkaError(
                .corruptMessage,
                "a record batch has \(content.count) bytes, too few for its \(header.recordCount) records")
        }
        return RecordBatch(
            header, compression: compression, content: content, topic: topic, partition: partition,
            firstOffset: firstOffset)
    }

    /// An aborted batch, without decompressing its records.
    private func aborted(_ header: RecordBatchHeader) throws(KafkaError) -> RecordBatch {
        RecordBatch(
            header, compression: try Compression(codec: header.attributes.codec), content: bytes.slice(0..<0),
            topic: topic, partition: partition, firstOffset: firstOffset, isAborted: true)
    }

    /// The size in bytes of a record without key, value and headers: seven fields of one byte.
    private static let smallestRecord = 7
}

/// A checksum as text for an error message.
func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}

extension RecordBatchReader {
    /// A summary of a fetched partition's batch headers, before their checksums are verified.
    package struct Scan: Equatable, Sendable {
        /// The offset to fetch from next.
        package var nextOffset: Int64
        /// The number of complete batches; a message of format 0 or 1 counts as one.
        package var batchCount = 0
        package var byteCount = 0
        /// The number of records in the batches, including those below the requested offset.
        ///
        /// A compressed wrapper of format 0 or 1 counts as one record, since its header doesn't give the number.
        package var recordCount = 0
        /// The last batch's leader epoch; -1 if there is none.
        package var lastLeaderEpoch: Int32 = -1
        /// Whether the bytes hold no complete batch, so that the caller must request more bytes.
        package var isTooShort = false
        /// The full size in bytes of the truncated last batch; nil if none is truncated, or its length is missing.
        package var cutOffByteCount: Int?
    }

    /// Reads only the batch headers, so that the next fetch can start before these bytes are decoded.
    ///
    /// - Parameter offset: The requested offset.
    /// - Throws: `CORRUPT_MESSAGE`, `UNSUPPORTED_FOR_MESSAGE_FORMAT`
    package static func scan(
        _ records: ByteSlice, from offset: Int64, topic: String, partition: Int32
    ) throws(KafkaError) -> Scan {
        var scan = Scan(nextOffset: offset)
        var position = 0
        let bytes = records.span
        while position < bytes.byteCount {
            let rest = bytes.extracting(position...)
            switch try RecordBatchHeader.framing(rest, topic: topic, partition: partition) {
            case .cutOff(let byteCount):
                scan.cutOffByteCount = byteCount
                scan.isTooShort = scan.batchCount == 0
                return scan
            case .batch(let byteCount):
                let header = RecordBatchHeader(rest)
                if let problem = header.problem() {
                    throw KafkaError(
                        .corruptMessage, "a record batch's header is invalid: \(problem)", topic: topic,
                        partition: partition, offset: header.baseOffset)
                }
                scan.batchCount += 1
                scan.byteCount += byteCount
                scan.recordCount += Int(header.recordCount)
                scan.nextOffset = max(scan.nextOffset, header.baseOffset + Int64(header.lastOffsetDelta) + 1)
                scan.lastLeaderEpoch = header.partitionLeaderEpoch
                position += byteCount
            case .message(let byteCount):
                let offset: Int64 = rest.bigEndian(at: 0)
                guard offset >= 0, offset < .max else {
                    throw KafkaError(
                        .corruptMessage, "a message has the invalid offset \(offset)", topic: topic,
                        partition: partition, offset: offset)
                }
                scan.batchCount += 1
                scan.byteCount += byteCount
                scan.recordCount += 1
                scan.nextOffset = max(scan.nextOffset, offset + 1)
                scan.lastLeaderEpoch = -1
                position += byteCount
            }
        }
        return scan
    }
}
