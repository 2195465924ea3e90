/// One record, as a view into its batch.
///
/// A record copies nothing and can't outlive the batch. Use `Array(record.value)` or `String(repairingUTF8:)` to keep a
/// copy.
public struct Record: ~Escapable {
    /// The record's offset in its partition. Offsets ascend; transactions and compaction leave gaps.
    public let offset: Int64
    /// Milliseconds since 1970: the producer's time, or the broker's if the topic has `LogAppendTime`; -1 if none.
    public let timestamp: Int64
    // A few positions instead of optional spans, so that the optimizer keeps them in registers.
    /// The bytes of the batch's records, up to the end of this one.
    @usableFromInline let bytes: RawSpan
    @usableFromInline let keyStart: Int32
    /// -1 for null, as in `valueLength`.
    @usableFromInline let keyLength: Int32
    @usableFromInline let valueStart: Int32
    @usableFromInline let valueLength: Int32

    @_lifetime(copy bytes)
    @inlinable
    @inline(__always)
    init(_ bytes: RawSpan, offset: Int64, timestamp: Int64, _ layout: RecordLayout) {
        self.offset = offset
        self.timestamp = timestamp
        // `RecordLayout` has checked that the record lies within the bytes.
        self.bytes = unsafe bytes.extracting(unchecked: 0..<layout.end)
        keyStart = Int32(truncatingIfNeeded: layout.keyStart)
        keyLength = Int32(truncatingIfNeeded: layout.keyLength)
        valueStart = Int32(truncatingIfNeeded: layout.valueStart)
        valueLength = Int32(truncatingIfNeeded: layout.valueLength)
    }

    /// The key; nil if the record has none.
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

    /// The record's headers (KIP-82).
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

/// The headers of one record, decoded during iteration.
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

    /// An iterator that begins at the first header.
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

    /// Iterates over the headers in order, without allocating.
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

/// One header, as a view into the record's batch.
public struct RecordHeader: ~Escapable {
    /// The name. The protocol requires UTF-8, but the bytes are not validated.
    public let name: RawSpan
    /// The value; nil if it is null.
    public let value: RawSpan?

    @_lifetime(copy name, copy value)
    @inlinable
    init(name: RawSpan, value: RawSpan?) {
        self.name = name
        self.value = value
    }
}
