/// Iterates over the records of one batch.
///
/// ```swift
/// var records = batch.makeIterator()
/// while let record = try records.next() { … }
/// ```
/// It allocates and copies nothing for a record; the records borrow from the batch. It cannot be a standard
/// `IteratorProtocol`, since its elements cannot outlive the batch and a damaged batch makes `next()` throw.
public struct RecordIterator: ~Escapable {
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
        baseTimestamp =
            isBrokerTime ? batch.maxTimestamp.millisecondsSince1970 : batch.firstTimestamp.millisecondsSince1970
        timestampMask = isBrokerTime ? 0 : -1
        topic = batch.topic
        partition = batch.partition
    }

    /// Returns the next record whose offset is at least the batch's `firstOffset`; nil after the last one.
    ///
    /// - Throws: CORRUPT_MESSAGE if the bytes are not the records that the batch's header announces. The records returned
    ///   before are valid, and every further call throws the same error.
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
                bytes, offset: offset,
                timestamp: KafkaTimestamp(
                    millisecondsSince1970: baseTimestamp &+ layout.timestampDelta & timestampMask), layout)
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
