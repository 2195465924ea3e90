/// One record, as a view of the batch that it lies in: nothing of it is copied, and it can't outlive the batch.
///
/// `Array(record.value)` and `String(repairingUTF8:)` copy what is wanted for longer.
public struct Record: ~Escapable {
    /// The record's place in its partition. Offsets ascend, with gaps where there are transactions or compaction.
    public let offset: Int64
    /// Milliseconds since 1970: the producer's, or the broker's where the topic has `LogAppendTime`; -1 for none.
    public let timestamp: Int64
    // Positions instead of optional spans, and few of them: the optimizer keeps these in registers.
    /// The batch's records up to the end of this one.
    @usableFromInline let bytes: RawSpan
    @usableFromInline let keyStart: Int32
    /// -1 for null, as for the value.
    @usableFromInline let keyLength: Int32
    @usableFromInline let valueStart: Int32
    @usableFromInline let valueLength: Int32

    @_lifetime(copy bytes)
    @inlinable
    @inline(__always)
    init(_ bytes: RawSpan, offset: Int64, timestamp: Int64, _ layout: RecordLayout) {
        self.offset = offset
        self.timestamp = timestamp
        // `RecordLayout` has seen that it lies within the bytes.
        self.bytes = unsafe bytes.extracting(unchecked: 0..<layout.end)
        keyStart = Int32(truncatingIfNeeded: layout.keyStart)
        keyLength = Int32(truncatingIfNeeded: layout.keyLength)
        valueStart = Int32(truncatingIfNeeded: layout.valueStart)
        valueLength = Int32(truncatingIfNeeded: layout.valueLength)
    }

    /// Nil for a record without a key.
    public var key: RawSpan? {
        @_lifetime(copy self)
        @inlinable
        @inline(__always)
        get {
            guard keyLength >= 0 else { return nil }
            let start = Int(keyStart)
            // As in `init`; the same holds below.
            return unsafe bytes.extracting(unchecked: start..<start &+ Int(keyLength))
        }
    }

    /// Null in a tombstone.
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

    /// What the producer has put beside it (KIP-82).
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

/// The headers of one record, decoded as they are walked through.
public struct RecordHeaders: ~Escapable {
    /// How many there are; names may repeat.
    public let count: Int
    @usableFromInline let bytes: RawSpan

    /// - Parameter bytes: `count` headers, which `isWellFormed` has seen.
    @_lifetime(copy bytes)
    @inlinable
    init(_ bytes: RawSpan, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    /// Whether the record has none.
    @inlinable public var isEmpty: Bool { count == 0 }

    /// Begins at the first header, each time.
    @_lifetime(copy self)
    @inlinable
    public func makeIterator() -> Iterator { Iterator(self) }

    /// Whether `bytes` is exactly `count` headers.
    @usableFromInline
    static func isWellFormed(_ bytes: borrowing RawSpan, count: Int) -> Bool {
        // A header takes two bytes at least.
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

    /// Walks through the headers in their order, without allocating.
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

        /// The next header, or nil after the last one.
        @_lifetime(copy self)
        @inlinable
        public mutating func next() -> RecordHeader? {
            guard remaining > 0 else { return nil }
            remaining -= 1
            let nameLength = Varint.int32(bytes, &position)
            let name = bytes.extracting(position..<position + nameLength)
            position += nameLength
            let valueLength = Varint.int32(bytes, &position)
            guard valueLength >= 0 else { return RecordHeader(name: name, value: nil) }
            let value = bytes.extracting(position..<position + valueLength)
            position += valueLength
            return RecordHeader(name: name, value: value)
        }
    }
}

/// One header of a record, a view as the record is.
public struct RecordHeader: ~Escapable {
    /// UTF-8, as the protocol has it; nobody has checked.
    public let name: RawSpan
    /// Nil for null.
    public let value: RawSpan?

    @_lifetime(copy name, copy value)
    @inlinable
    init(name: RawSpan, value: RawSpan?) {
        self.name = name
        self.value = value
    }
}
