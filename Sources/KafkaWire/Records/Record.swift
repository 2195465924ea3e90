/// One record, as a view of its batch: nothing is copied, and it cannot outlive the batch.
///
/// To keep a part of it, copy that with `Array(_:)` or `String(repairingUTF8:)`, or the whole with
/// ``ConsumerRecord/init(_:of:)``.
public struct Record: ~Escapable {
    /// The record's offset in its partition. Offsets ascend, with gaps from transactions and compaction.
    public let offset: Int64
    /// The producer's timestamp, or the broker's if the topic has `LogAppendTime`.
    public let timestamp: KafkaTimestamp
    // Positions instead of optional spans, and few of them: the optimizer keeps these in registers.
    /// The batch's records up to the end of this one.
    @usableFromInline let bytes: RawSpan
    @usableFromInline let keyStart: Int32
    /// -1 for null, as in `valueLength`.
    @usableFromInline let keyLength: Int32
    @usableFromInline let valueStart: Int32
    @usableFromInline let valueLength: Int32

    @_lifetime(copy bytes)
    @inlinable
    @inline(__always)
    init(_ bytes: RawSpan, offset: Int64, timestamp: KafkaTimestamp, _ layout: RecordLayout) {
        self.offset = offset
        self.timestamp = timestamp
        // `RecordLayout` has checked that the record lies within the bytes.
        self.bytes = unsafe bytes.extracting(unchecked: 0..<layout.end)
        keyStart = Int32(truncatingIfNeeded: layout.keyStart)
        keyLength = Int32(truncatingIfNeeded: layout.keyLength)
        valueStart = Int32(truncatingIfNeeded: layout.valueStart)
        valueLength = Int32(truncatingIfNeeded: layout.valueLength)
    }

    /// The offset after the record: what to commit once the record is processed.
    @inlinable public var nextOffset: Int64 { offset &+ 1 }

    /// The key; nil for a record without one.
    public var key: RawSpan? {
        @_lifetime(copy self)
        @inlinable
        @inline(__always)
        get {
            guard keyLength >= 0 else { return nil }
            let start = Int(keyStart)
            // In bounds, as in `init`; so is the value below.
            return unsafe bytes.extracting(unchecked: start..<start &+ Int(keyLength))
        }
    }

    /// The value; nil for a tombstone.
    public var value: RawSpan? {
        @_lifetime(copy self)
        @inlinable
        @inline(__always)
        get {
            guard valueLength >= 0 else { return nil }
            let start = Int(valueStart)
            return unsafe bytes.extracting(unchecked: start..<start &+ Int(valueLength))
        }
    }

    /// The headers (KIP-82), decoded during the iteration.
    public var headers: RecordHeaders {
        @_lifetime(copy self)
        @inlinable
        get {
            var position = Int(valueStart) &+ Int(max(valueLength, 0))
            let count = Varint.int32(bytes, &position)
            return RecordHeaders(unsafe bytes.extracting(unchecked: position..<bytes.byteCount), count: count)
        }
    }
}

/// The headers of one record, as a view: they are decoded during the iteration, without an allocation.
public struct RecordHeaders: ~Escapable {
    /// The number of headers. Names may repeat.
    public let count: Int
    @usableFromInline let bytes: RawSpan

    /// - Parameter bytes: `count` headers, already checked by `isWellFormed`.
    @_lifetime(copy bytes)
    @inlinable
    init(_ bytes: RawSpan, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    /// Whether the record has no headers.
    @inlinable public var isEmpty: Bool { count == 0 }

    /// Returns an iterator that begins at the first header.
    @_lifetime(copy self)
    @inlinable
    public func makeIterator() -> Iterator { Iterator(self) }

    /// Whether `bytes` consists of exactly `count` well-formed headers.
    @usableFromInline
    static func isWellFormed(_ bytes: borrowing RawSpan, count: Int) -> Bool {
        // A header has at least two bytes.
        guard count >= 0, count <= bytes.byteCount / 2 else { return false }
        var position = 0
        for _ in 0..<count {
            let nameLength = Varint.int32(bytes, &position)
            guard nameLength >= 0 else { return false }
            position += nameLength
            let valueLength = Varint.int32(bytes, &position)
            guard valueLength >= -1, position <= bytes.byteCount else { return false }
            position += max(valueLength, 0)
        }
        return position == bytes.byteCount
    }

    /// Iterates over the headers in their order, without an allocation.
    public struct Iterator: ~Escapable {
        @usableFromInline let bytes: RawSpan
        @usableFromInline var remaining: Int
        @usableFromInline var position = 0

        @_lifetime(copy headers)
        @inlinable
        init(_ headers: RecordHeaders) {
            bytes = headers.bytes
            remaining = headers.count
        }

        /// Returns the next header; nil after the last one.
        @_lifetime(copy self)
        @inlinable
        public mutating func next() -> RecordHeaderView? {
            guard remaining > 0 else { return nil }
            remaining -= 1
            let nameLength = Varint.int32(bytes, &position)
            let name = bytes.extracting(position..<position + nameLength)
            position += nameLength
            let valueLength = Varint.int32(bytes, &position)
            guard valueLength >= 0 else { return RecordHeaderView(name: name, value: nil) }
            let value = bytes.extracting(position..<position + valueLength)
            position += valueLength
            return RecordHeaderView(name: name, value: value)
        }
    }
}

/// One header of a record, as a view. ``RecordHeader`` is the copy that can be kept.
public struct RecordHeaderView: ~Escapable {
    /// The name, in UTF-8 according to the protocol. Nothing has checked that.
    public let name: RawSpan
    /// The value; nil for null.
    public let value: RawSpan?

    @_lifetime(copy name, copy value)
    @inlinable
    init(name: RawSpan, value: RawSpan?) {
        self.name = name
        self.value = value
    }
}
