import KafkaWire

/// The checks that a broker makes before it appends a produced batch.
enum BatchCheck {
    /// Checks a produced batch.
    ///
    /// - Parameter maximum: The topic's `max.message.bytes`.
    /// - Returns: The batch's header, or the error with its message.
    static func header(of records: ByteSlice?, maximum: Int) -> Result<RecordBatchHeader, Refusal> {
        guard let records, records.count >= 17 else {
            return .failure(Refusal(.invalidRecord, "there is no record batch"))
        }
        var reader = WireReader(records, isFlexible: false)
        _ = reader.int64()
        let length = Int(reader.int32())
        _ = reader.int32()
        let magic = reader.int8()
        guard magic == 2 else {
            return .failure(Refusal(.unsupportedForMessageFormat, "message format \(magic) is not supported"))
        }
        guard records.count >= RecordBatchHeader.byteCount,
            length == records.count - RecordBatchHeader.prefixByteCount
        else { return .failure(Refusal(.invalidRecord, "the bytes aren't exactly one record batch")) }
        guard records.count <= maximum else {
            return .failure(
                Refusal(
                    .messageTooLarge, "the batch has \(records.count) bytes, more than max.message.bytes (\(maximum))"))
        }
        let header = RecordBatchHeader(records.span)
        guard CRC32C.checksum(records.span.extracting(RecordBatchHeader.checkedFrom...)) == header.crc else {
            return .failure(Refusal(.corruptMessage, "the batch's checksum is wrong"))
        }
        guard !header.attributes.contains(.control) else {
            return .failure(Refusal(.invalidRecord, "only brokers may write control records"))
        }
        guard !header.attributes.contains(.transactional) || header.producerID >= 0 else {
            return .failure(Refusal(.invalidRecord, "a transactional batch has no producer id"))
        }
        guard header.recordCount > 0, header.lastOffsetDelta == header.recordCount - 1 else {
            return .failure(
                Refusal(
                    .invalidRecord,
                    "the last offset delta is \(header.lastOffsetDelta), but the batch has \(header.recordCount) records"
                ))
        }
        return .success(header)
    }

    struct Refusal: Error {
        let code: ErrorCode
        let message: String

        init(_ code: ErrorCode, _ message: String) {
            self.code = code
            self.message = message
        }
    }
}
