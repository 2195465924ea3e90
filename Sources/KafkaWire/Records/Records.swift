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
        let isHidden = batch.isControl && !includingControl || batch.isAborted
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
    @inline(__always)
    public mutating func next() throws(KafkaError) -> Record? {
        while remaining > 0 {
            let layout: RecordLayout
            if let everyday = RecordLayout.everyday(bytes, position), everyday.offsetDelta >= nextDelta,
                everyday.offsetDelta <= lastDelta
            {
                layout = everyday
            } else {
                layout = try decodeCarefully()
            }
            position = layout.end
            remaining &-= 1
            nextDelta = layout.offsetDelta &+ 1
            let offset = baseOffset &+ Int64(layout.offsetDelta)
            if offset < firstOffset { continue }
            return Record(
                bytes, offset: offset, timestamp: baseTimestamp &+ layout.timestampDelta & timestampMask, layout)
        }
        if position < bytes.byteCount { throw malformed("bytes are left over after the last record", at: position) }
        return nil
    }

    /// Decodes a record that isn't an everyday one, or throws what is wrong with it.
    @usableFromInline
    @inline(never)
    func decodeCarefully() throws(KafkaError) -> RecordLayout {
        guard position < bytes.byteCount, nextDelta <= lastDelta else {
            throw malformed("the batch has \(remaining) records fewer than its header says", at: position)
        }
        do throws(ProtocolError) {
            return try RecordLayout(carefully: bytes, position, deltas: nextDelta...lastDelta)
        } catch {
            throw malformed(error.reason, at: error.position)
        }
    }

    @usableFromInline
    @inline(never)
    func malformed(_ reason: String, at position: Int) -> KafkaError {
        KafkaError(
            .corruptMessage, "A record can't be decoded: \(reason) (at byte \(position) of its batch's records).",
            topic: topic, partition: partition, offset: baseOffset &+ Int64(nextDelta))
    }
}
