/// Goes through the record batches of one fetched partition, and makes batches of messages of formats 0 and 1.
///
/// A broker may cut off the last batch where its limit on bytes falls; that one is passed over, and so are batches
/// that lie wholly before the offset that was asked for.
package struct RecordBatchReader: Sendable {
    // What isn't private serves `RecordBatchReader+Messages`.
    let topic: String
    let partition: Int32
    let bytes: ByteSlice
    let checksCRC: Bool
    let maximumInflatedBytes: Int
    let pool: BufferPool
    let firstOffset: Int64
    var position = 0
    /// Where it isn't nil, batches of aborted transactions come without their records.
    private var transactions: AbortedTransactions?

    /// The offset that follows the batches gone through so far.
    package internal(set) var nextOffset: Int64

    /// - Parameters:
    ///   - records: What the broker sent for the partition: any number of batches.
    ///   - offset: The offset that was asked for.
    ///   - checksCRC: Whether each batch is compared with its checksum (Kafka's `check.crcs`).
    ///   - maximumInflatedBytes: A batch that is larger than this when decompressed is refused.
    ///   - pool: Where the memory for decompressed records comes from.
    ///   - transactions: Those of the batches that were aborted; nil to have their records too.
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

    /// The next batch, control batches among them, or nil after the last whole one.
    ///
    /// - Throws: `CORRUPT_MESSAGE`, `UNSUPPORTED_FOR_MESSAGE_FORMAT`, `UNSUPPORTED_COMPRESSION_TYPE`, or
    ///   `RECORD_LIST_TOO_LARGE` for a batch beyond `maximumInflatedBytes`. A further call throws again.
    package mutating func next() throws(KafkaError) -> RecordBatch? {
        while true {
            let rest = bytes.slice(position..<bytes.count)
            let framing = try RecordBatchHeader.framing(rest.span, topic: topic, partition: partition)
            guard case .batch(let byteCount) = framing else {
                guard case .message(let byteCount) = framing else { return nil }
                if let batch = try nextOfMessages(byteCount: byteCount) { return batch }
                continue
            }
            let batch = rest.slice(0..<byteCount)
            let header = RecordBatchHeader(batch.span)
            if checksCRC { try checkCRC(batch, header) }
            if let problem = header.problem() {
                throw KafkaError(
                    .corruptMessage, "A record batch's header can't be: \(problem).", topic: topic,
                    partition: partition, offset: header.baseOffset)
            }
            let lastOffset = header.baseOffset + Int64(header.lastOffsetDelta)
            if lastOffset >= firstOffset {
                let decoded: RecordBatch
                do throws(KafkaError) {
                    let isAborted = transactions?.cover(header) ?? false
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
                A record batch's checksum is \(hexadecimal(crc)), where its header says \(hexadecimal(header.crc)): \
                its bytes were changed on the way or on the broker's disk.
                """,
                topic: topic, partition: partition, offset: header.baseOffset)
        }
    }

    private func decode(_ batch: ByteSlice, _ header: RecordBatchHeader) throws(KafkaError) -> RecordBatch {
        let compression = try Compression(codec: header.attributes.codec)
        var content = batch.slice(RecordBatchHeader.byteCount..<batch.count)
        // A batch that compaction has emptied has nothing to decompress, not even a codec's header.
        if header.recordCount > 0 || !content.isEmpty {
            content = try compression.decompress(content, maximumBytes: maximumInflatedBytes, pool: pool)
        }
        guard Int(header.recordCount) <= content.count / Self.smallestRecord else {
            throw KafkaError(
                .corruptMessage,
                "A record batch of \(content.count) bytes says that it has \(header.recordCount) records.")
        }
        return RecordBatch(
            header, compression: compression, content: content, topic: topic, partition: partition,
            firstOffset: firstOffset)
    }

    /// The batch without its records, which nobody decompresses.
    private func aborted(_ header: RecordBatchHeader) throws(KafkaError) -> RecordBatch {
        RecordBatch(
            header, compression: try Compression(codec: header.attributes.codec), content: bytes.slice(0..<0),
            topic: topic, partition: partition, firstOffset: firstOffset, isAborted: true)
    }

    /// A record without key, value and headers: seven fields of one byte.
    private static let smallestRecord = 7
}

/// A checksum, as an error shows it.
func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}

extension RecordBatchReader {
    /// What the headers of a fetched partition's batches tell, before a checksum is compared.
    package struct Scan: Equatable, Sendable {
        /// The offset to fetch from next.
        package var nextOffset: Int64
        /// How many whole batches there are, single messages of formats 0 and 1 among them, and how many bytes they
        /// have.
        package var batchCount = 0
        package var byteCount = 0
        /// How many records the batches have, those below the offset that was asked for counted as well; a
        /// wrapper of format 0 or 1 counts as one, since only its content tells.
        package var recordCount = 0
        /// The leader epoch of the last batch; -1 where there is none.
        package var lastLeaderEpoch: Int32 = -1
        /// Whether there are bytes but no whole batch: the caller then has to ask for more bytes.
        package var isTooShort = false
        /// The size in bytes of the batch that is cut off, where what there is of it tells.
        package var cutOffByteCount: Int?
    }

    /// Reads the headers of the batches and nothing else, so that the next fetch can be on its way before these
    /// bytes are decoded.
    ///
    /// - Parameter offset: The offset that was asked for.
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
                        .corruptMessage, "A record batch's header can't be: \(problem).", topic: topic,
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
                        .corruptMessage, "A message's offset can't be: it is \(offset).", topic: topic,
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
