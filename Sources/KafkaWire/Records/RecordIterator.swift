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
    /// The position of the next record.
    @usableFromInline var position = 0
    @usableFromInline var remaining: Int
    /// The smallest valid offset delta of the next record; deltas ascend.
    @usableFromInline var nextDelta = 0
    @usableFromInline let lastDelta: Int
    @usableFromInline let baseOffset: Int64
    @usableFromInline let firstOffset: Int64
    @usableFromInline let baseTimestamp: Int64
    /// Masks the timestamp deltas: all zeros if the broker's time applies, otherwise all ones.
    @usableFromInline let timestampMask: Int64
    // Only for error messages.
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
            if let fast = RecordLayout.decodeFast(bytes, position), fast.offsetDelta >= nextDelta,
                fast.offsetDelta <= lastDelta
            {
                layout = fast
            } else {
                layout = try decodeSlow()
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
        if position < bytes.byteCount { throw malformed("unexpected bytes follow the last record", at: position) }
        return nil
    }

    /// How far an iterator has come. A batch's iterator can be resumed at it.
    struct Place: Sendable {
        fileprivate var position = 0
        fileprivate var remaining = 0
        fileprivate var nextDelta = 0
    }

    var place: Place {
        get { Place(position: position, remaining: remaining, nextDelta: nextDelta) }
        set { (position, remaining, nextDelta) = (newValue.position, newValue.remaining, newValue.nextDelta) }
    }

    /// Whether the last record was returned, and nothing follows it.
    var isAtEnd: Bool { remaining == 0 && position >= bytes.byteCount }

    /// Decodes a record that the fast path can't decode, or throws the reason why it is malformed.
    @usableFromInline
    @inline(never)
    func decodeSlow() throws(KafkaError) -> RecordLayout {
        guard position < bytes.byteCount, nextDelta <= lastDelta else {
            throw malformed("the batch has \(remaining) fewer records than its header says", at: position)
        }
        do throws(ProtocolError) {
            return try RecordLayout(validating: bytes, position, deltas: nextDelta...lastDelta)
        } catch {
            throw malformed(error.reason, at: error.position)
        }
    }

    @usableFromInline
    @inline(never)
    func malformed(_ reason: String, at position: Int) -> KafkaError {
        KafkaError(
            .corruptMessage, "a record cannot be decoded: \(reason) (at byte \(position) of its batch's records)",
            topic: topic, partition: partition, offset: baseOffset &+ Int64(nextDelta))
    }
}
