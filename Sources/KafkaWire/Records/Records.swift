/// Walks through the records of one batch.
///
///     var records = batch.records
///     while let record = try records.next() { … }
///
/// Nothing is allocated, copied or counted for a record, and what the iterator gives borrows from the batch.
public struct Records: ~Escapable {
    @usableFromInline let bytes: RawSpan
    /// Where the next record begins.
    @usableFromInline var position = 0
    @usableFromInline var remaining: Int
    /// The smallest offset delta that the next record may have: deltas ascend.
    @usableFromInline var nextDelta = 0
    @usableFromInline let lastDelta: Int
    @usableFromInline let baseOffset: Int64
    @usableFromInline let firstOffset: Int64
    @usableFromInline let baseTimestamp: Int64
    /// Takes away the timestamp deltas where the broker's time counts: all ones or all zeros.
    @usableFromInline let timestampMask: Int64
    // For errors.
    @usableFromInline let topic: String
    @usableFromInline let partition: Int32

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, of batch: borrowing RecordBatch, includingControl: Bool = false) {
        self.bytes = bytes
        let isHidden = batch.isControl && !includingControl
        remaining = isHidden ? 0 : batch.recordCount
        if isHidden { position = bytes.byteCount }
        lastDelta = Int(batch.lastOffset - batch.baseOffset)
        baseOffset = batch.baseOffset
        firstOffset = batch.firstOffset
        let isBrokerTime = batch.timestampType == .logAppendTime
        baseTimestamp = isBrokerTime ? batch.maxTimestamp : batch.firstTimestamp
        timestampMask = isBrokerTime ? 0 : -1
        topic = batch.topic
        partition = batch.partition
    }

    /// The next record whose offset isn't below the batch's `firstOffset`, or nil after the last one.
    ///
    /// - Throws: `CORRUPT_MESSAGE` where the bytes aren't the records that the batch's header announced. Records
    ///   that were given before are good all the same, and a further call throws again.
    @_lifetime(copy self)
    @inlinable
    public mutating func next() throws(KafkaError) -> Record? {
        while remaining > 0 {
            // All positions only grow, and the end is compared with at the last: until then a position may lie
            // outside, where `Varint` reads nothing.
            var at = position
            let length = Varint.int32(bytes, &at)
            let end = at &+ length
            guard length >= 0, end <= bytes.byteCount else { throw malformed() }
            // One byte of attributes, none of them in use.
            at &+= 1
            let timestampDelta = Varint.int64(bytes, &at)
            let offsetDelta = Varint.int32(bytes, &at)
            let keyLength = Varint.int32(bytes, &at)
            guard keyLength >= -1 else { throw malformed() }
            let keyStart = at
            at &+= max(keyLength, 0)
            let valueLength = Varint.int32(bytes, &at)
            guard valueLength >= -1 else { throw malformed() }
            let valueStart = at
            at &+= max(valueLength, 0)
            let headerCount = Varint.int32(bytes, &at)
            guard at <= end, offsetDelta >= nextDelta, offsetDelta <= lastDelta else { throw malformed() }
            if headerCount == 0 {
                guard at == end else { throw malformed() }
            } else {
                // `at` and `end` have been seen to lie within the bytes, in this order.
                guard RecordHeaders.isWellFormed(unsafe bytes.extracting(unchecked: at..<end), count: headerCount)
                else { throw malformed() }
            }

            position = end
            remaining &-= 1
            nextDelta = offsetDelta &+ 1
            let offset = baseOffset &+ Int64(offsetDelta)
            if offset < firstOffset { continue }
            // Key and value end before `at`, which isn't behind `end`, which isn't behind the bytes' end.
            let key =
                keyLength < 0 ? nil : unsafe bytes.extracting(unchecked: keyStart..<(keyStart &+ keyLength))
            let value =
                valueLength < 0 ? nil : unsafe bytes.extracting(unchecked: valueStart..<(valueStart &+ valueLength))
            return Record(
                offset: offset, timestamp: baseTimestamp &+ timestampDelta & timestampMask, key: key, value: value,
                headers: RecordHeaders(unsafe bytes.extracting(unchecked: at..<end), count: headerCount))
        }
        guard position == bytes.byteCount else { throw malformed() }
        return nil
    }

    /// The error for the record at `position`, which can't be decoded.
    @usableFromInline
    @inline(never)
    func malformed() -> KafkaError {
        KafkaError(
            .corruptMessage, "A record can't be decoded: \(problem()), at byte \(position) of its batch's records.",
            topic: topic, partition: partition, offset: baseOffset + Int64(nextDelta))
    }

    /// Goes through the record at `position` again, step by step, for what is wrong with it.
    private func problem() -> String {
        guard remaining > 0 else {
            return "\(bytes.byteCount - position) bytes are left over after the last record"
        }
        if position == bytes.byteCount { return "the batch ends \(remaining) records too early" }
        var at = position
        let length = Varint.int32(bytes, &at)
        guard at <= bytes.byteCount else { return "its length isn't a variable-length integer of 32 bits" }
        guard length >= 0, length <= bytes.byteCount - at else {
            return "its length is \(length), with \(bytes.byteCount - at) bytes left in the batch"
        }
        let end = at + length
        at += 1
        _ = Varint.int64(bytes, &at)
        guard at <= end else { return "its timestamp isn't a variable-length integer of 64 bits within the record" }
        let offsetDelta = Varint.int32(bytes, &at)
        guard at <= end else { return "its offset isn't a variable-length integer of 32 bits within the record" }
        guard offsetDelta >= nextDelta, offsetDelta <= lastDelta else {
            return "its offset is \(offsetDelta) from the base offset, where \(nextDelta) to \(lastDelta) can be"
        }
        for field in ["key", "value"] {
            let length = Varint.int32(bytes, &at)
            guard at <= end else {
                return "its \(field)'s length isn't a variable-length integer of 32 bits within the record"
            }
            guard length >= -1, length <= end - at else {
                return "its \(field) has the length \(length), with \(end - at) bytes left in the record"
            }
            at += max(length, 0)
        }
        let headerCount = Varint.int32(bytes, &at)
        guard at <= end else { return "its header count isn't a variable-length integer of 32 bits within the record" }
        return "its \(headerCount) headers don't fill the \(end - at) bytes that are left for them"
    }
}
