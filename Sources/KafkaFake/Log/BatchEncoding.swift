import KafkaWire

extension RecordBatchHeader {
    /// Encodes a batch from this header and the bytes of its records, with the right length and checksum.
    func batch(records: ByteSlice) -> ByteSlice {
        var writer = WireWriter(isFlexible: false, reserving: Self.byteCount + records.count)
        writer.int64(baseOffset)
        writer.int32(Int32(clamping: Self.byteCount - Self.prefixByteCount + records.count))
        writer.int32(partitionLeaderEpoch)
        writer.int8(2)
        writer.int32(0)
        writer.int16(attributes.rawValue)
        writer.int32(lastOffsetDelta)
        writer.int64(baseTimestamp)
        writer.int64(maxTimestamp)
        writer.int64(producerID)
        writer.int16(producerEpoch)
        writer.int32(baseSequence)
        writer.int32(recordCount)
        writer.raw(records)
        let unchecked = ByteSlice(writer.bytes)
        let crc = CRC32C.checksum(unchecked.span.extracting(Self.checkedFrom...))
        writer.overwriteInt32(Int32(bitPattern: crc), at: 17)
        return ByteSlice(writer.bytes)
    }
}

/// Encodes records for a batch of message format 2. Their offsets may have gaps.
struct RecordWriter {
    private let baseOffset: Int64
    private let baseTimestamp: Int64
    private(set) var bytes: [UInt8] = []
    private(set) var count: Int32 = 0

    init(baseOffset: Int64, baseTimestamp: Int64) {
        self.baseOffset = baseOffset
        self.baseTimestamp = baseTimestamp
    }

    mutating func append(_ record: borrowing Record) {
        var body: [UInt8] = [0]
        Self.varint(record.timestamp.millisecondsSince1970 - baseTimestamp, to: &body)
        Self.varint(record.offset - baseOffset, to: &body)
        Self.field(record.key, to: &body)
        Self.field(record.value, to: &body)
        Self.varint(Int64(record.headers.count), to: &body)
        var headers = record.headers.makeIterator()
        while let header = headers.next() {
            Self.field(header.name, to: &body)
            Self.field(header.value, to: &body)
        }
        Self.varint(Int64(body.count), to: &bytes)
        bytes += body
        count += 1
    }

    private static func field(_ span: RawSpan?, to bytes: inout [UInt8]) {
        guard let span else { return varint(-1, to: &bytes) }
        varint(Int64(span.byteCount), to: &bytes)
        bytes += [UInt8](span)
    }

    private static func varint(_ value: Int64, to bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// A transaction marker, which ends a transaction in one partition: a batch with one control record.
///
/// Source: Kafka documentation, "Control Batches"; KIP-98.
struct TransactionMarker {
    let isCommit: Bool
    let producerID: Int64
    /// With transactions of version 2 the epoch of the next transaction (KIP-890).
    let producerEpoch: Int16
    /// Milliseconds since 1970.
    let timestamp: Int64

    var header: RecordBatchHeader {
        var header = RecordBatchHeader()
        header.attributes = [.transactional, .control]
        header.baseTimestamp = timestamp
        header.maxTimestamp = timestamp
        header.producerID = producerID
        header.producerEpoch = producerEpoch
        header.recordCount = 1
        return header
    }

    var batch: ByteSlice {
        // Key: version 0 and the type. Value: version 0 and the coordinator's epoch.
        let key: [UInt8] = [0, 0, 0, isCommit ? 1 : 0]
        let value: [UInt8] = [0, 0, 0, 0, 0, 0]
        // Lengths are zigzag numbers: twice the count. Before the key come attributes and the two deltas.
        let body: [UInt8] = [0, 0, 0, UInt8(2 * key.count)] + key + [UInt8(2 * value.count)] + value + [0]
        return header.batch(records: ByteSlice([UInt8(2 * body.count)] + body))
    }
}
