/// The header of a record batch in message format 2.
///
/// A decoded header may be invalid; see `problem`.
///
/// Source: Kafka documentation, "Record Batch".
package struct RecordBatchHeader: Sendable {
    /// The size of the header in bytes.
    package static let byteCount = 61
    /// The size in bytes of the base offset and the length field, which `batchLength` doesn't include.
    package static let prefixByteCount = 12
    /// The position where the checksummed bytes begin.
    package static let checkedFrom = 21

    package var baseOffset: Int64 = 0
    /// The batch's size in bytes without the first 12.
    package var batchLength: Int32 = 0
    package var partitionLeaderEpoch: Int32 = -1
    package var crc: UInt32 = 0
    package var attributes: Attributes = []
    package var lastOffsetDelta: Int32 = 0
    package var baseTimestamp: Int64 = -1
    package var maxTimestamp: Int64 = -1
    package var producerID: Int64 = -1
    package var producerEpoch: Int16 = -1
    package var baseSequence: Int32 = -1
    package var recordCount: Int32 = 0

    package struct Attributes: OptionSet, Sendable {
        package let rawValue: Int16

        package init(rawValue: Int16) {
            self.rawValue = rawValue
        }

        package static let logAppendTime = Attributes(rawValue: 1 << 3)
        package static let transactional = Attributes(rawValue: 1 << 4)
        package static let control = Attributes(rawValue: 1 << 5)

        /// The number of the compression codec.
        package var codec: Int8 { Int8(rawValue & 7) }
    }

    package init() {}

    /// - Precondition: `bytes` has at least 61 bytes.
    package init(_ bytes: RawSpan) {
        precondition(bytes.byteCount >= Self.byteCount)
        baseOffset = bytes.bigEndian(at: 0)
        batchLength = bytes.bigEndian(at: 8)
        partitionLeaderEpoch = bytes.bigEndian(at: 12)
        crc = bytes.bigEndian(at: 17)
        attributes = Attributes(rawValue: bytes.bigEndian(at: 21))
        lastOffsetDelta = bytes.bigEndian(at: 23)
        baseTimestamp = bytes.bigEndian(at: 27)
        maxTimestamp = bytes.bigEndian(at: 35)
        producerID = bytes.bigEndian(at: 43)
        producerEpoch = bytes.bigEndian(at: 51)
        baseSequence = bytes.bigEndian(at: 53)
        recordCount = bytes.bigEndian(at: 57)
    }

    /// Writes the header to `target`, which must have room for 61 bytes.
    func store(at target: UnsafeMutableRawPointer) {
        unsafe target.storeBytes(of: baseOffset.bigEndian, as: Int64.self)
        unsafe target.storeBytes(of: batchLength.bigEndian, toByteOffset: 8, as: Int32.self)
        unsafe target.storeBytes(of: partitionLeaderEpoch.bigEndian, toByteOffset: 12, as: Int32.self)
        unsafe target.storeBytes(of: 2, toByteOffset: 16, as: Int8.self)
        unsafe target.storeBytes(of: crc.bigEndian, toByteOffset: 17, as: UInt32.self)
        unsafe target.storeBytes(of: attributes.rawValue.bigEndian, toByteOffset: 21, as: Int16.self)
        unsafe target.storeBytes(of: lastOffsetDelta.bigEndian, toByteOffset: 23, as: Int32.self)
        unsafe target.storeBytes(of: baseTimestamp.bigEndian, toByteOffset: 27, as: Int64.self)
        unsafe target.storeBytes(of: maxTimestamp.bigEndian, toByteOffset: 35, as: Int64.self)
        unsafe target.storeBytes(of: producerID.bigEndian, toByteOffset: 43, as: Int64.self)
        unsafe target.storeBytes(of: producerEpoch.bigEndian, toByteOffset: 51, as: Int16.self)
        unsafe target.storeBytes(of: baseSequence.bigEndian, toByteOffset: 53, as: Int32.self)
        unsafe target.storeBytes(of: recordCount.bigEndian, toByteOffset: 57, as: Int32.self)
    }

    /// Why the header is invalid; nil if it is valid.
    func problem() -> String? {
        if baseOffset < 0 { return "its base offset is \(baseOffset)" }
        if lastOffsetDelta < 0 { return "its last offset is \(lastOffsetDelta) from its base offset" }
        if baseOffset > Int64.max - Int64(lastOffsetDelta) - 1 { return "its offsets go past the largest offset" }
        if recordCount < 0 { return "it has \(recordCount) records" }
        if Int64(recordCount) > Int64(lastOffsetDelta) + 1 {
            return "it has \(recordCount) records but only \(Int64(lastOffsetDelta) + 1) offsets"
        }
        return nil
    }
}

extension RecordBatchHeader {
    /// The kind and size of the next entry in a fetched partition's bytes.
    enum Framing {
        /// A batch in message format 2, and its total size in bytes.
        case batch(byteCount: Int)
        /// A message in format 0 or 1, and its total size in bytes.
        case message(byteCount: Int)
        /// The bytes end before the batch does. `byteCount` is its total size; nil if the length field is missing too.
        case cutOff(byteCount: Int?)
    }

    /// Reads the kind and size of the entry at the beginning of `bytes`.
    ///
    /// - Throws: `CORRUPT_MESSAGE` if its length is too small, `UNSUPPORTED_FOR_MESSAGE_FORMAT` if its format isn't 0,
    ///   1 or 2.
    static func framing(_ bytes: RawSpan, topic: String, partition: Int32) throws(KafkaError) -> Framing {
        guard bytes.byteCount >= prefixByteCount else { return .cutOff(byteCount: nil) }
        let baseOffset: Int64 = bytes.bigEndian(at: 0)
        let length: Int32 = bytes.bigEndian(at: 8)
        // The smallest entry is a message in format 0 without key and value.
        guard length >= 14 else {
            throw KafkaError(
                .corruptMessage, "a record batch has the length \(length), which is too short for any message format",
                topic: topic, partition: partition, offset: baseOffset)
        }
        let byteCount = prefixByteCount + Int(length)
        guard bytes.byteCount >= byteCount else { return .cutOff(byteCount: byteCount) }
        let magic: Int8 = bytes.bigEndian(at: 16)
        if magic == 0 || magic == 1 {
            guard Int(length) >= LegacyMessage.smallestLength[Int(magic)] else {
                throw KafkaError(
                    .corruptMessage, "a message has the length \(length), which is too short for format \(magic)",
                    topic: topic, partition: partition, offset: baseOffset)
            }
            return .message(byteCount: byteCount)
        }
        guard magic == 2 else {
            throw KafkaError(
                .unsupportedForMessageFormat,
                "the records are in message format \(magic), which this client does not support", topic: topic,
                partition: partition, offset: baseOffset)
        }
        guard byteCount >= Self.byteCount else {
            throw KafkaError(
                .corruptMessage, "a record batch has the length \(length), which is too short for its header",
                topic: topic, partition: partition, offset: baseOffset)
        }
        return .batch(byteCount: byteCount)
    }
}
