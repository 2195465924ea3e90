// One append per column type. The binary forms are those of the types' receive functions in the server.
extension CopyBuffer {
    /// SQL null, for a column of any type.
    @inlinable
    public mutating func appendNull() {
        appendWord(-1)
    }

    /// `boolean`.
    @inlinable
    public mutating func append(bool value: Bool) {
        reserve(5)
        store(Int32(1))
        store(UInt8(value ? 1 : 0))
        missingColumns &-= 1
    }

    /// `smallint`.
    @inlinable
    public mutating func append(int2 value: Int16) {
        reserve(6)
        store(Int32(2))
        store(value)
        missingColumns &-= 1
    }

    /// `integer`.
    @inlinable
    public mutating func append(int4 value: Int32) {
        reserve(8)
        // Writes length and value in one store.
        store(4 << 32 | UInt64(UInt32(bitPattern: value)))
        missingColumns &-= 1
    }

    /// `bigint`.
    @inlinable
    public mutating func append(int8 value: Int64) {
        reserve(12)
        store(Int32(8))
        store(value)
        missingColumns &-= 1
    }

    /// `real`, including NaN and infinities.
    @inlinable
    public mutating func append(float4 value: Float) {
        append(int4: Int32(bitPattern: value.bitPattern))
    }

    /// `double precision`, including NaN and infinities.
    @inlinable
    public mutating func append(float8 value: Double) {
        append(int8: Int64(bitPattern: value.bitPattern))
    }

    /// `timestamp` (without time zone): microseconds since 2000-01-01 00:00:00 by the same clock.
    ///
    /// The range is ``PostgresTime/timestampRange``; `Int64.max` is infinity, `Int64.min` minus infinity. For any
    /// other value the server fails the whole COPY (SQLSTATE 22008).
    @inlinable
    public mutating func append(timestamp microseconds: Int64) {
        append(int8: microseconds)
    }

    /// `timestamptz`: microseconds since 2000-01-01 00:00:00 UTC. The range is that of ``append(timestamp:)``.
    @inlinable
    public mutating func append(timestamptz microseconds: Int64) {
        append(int8: microseconds)
    }

    /// `date`: days since 2000-01-01, in ``PostgresTime/dateRange``; `Int32.max` is infinity, `Int32.min` minus
    /// infinity.
    @inlinable
    public mutating func append(date days: Int32) {
        append(int4: days)
    }

    /// `uuid` from its two halves as big-endian numbers.
    @inlinable
    public mutating func append(uuidHigh high: UInt64, low: UInt64) {
        reserve(20)
        store(Int32(16))
        store(high)
        store(low)
        missingColumns &-= 1
    }

    // MARK: Variable length

    /// `bytea` of at most ``maximumFieldSize`` bytes.
    @inlinable
    public mutating func append(bytea bytes: RawSpan) {
        appendField(bytes, version: nil)
    }

    /// `text`, `varchar` or `json` as UTF-8 without NUL, which isn't checked.
    ///
    /// For any other bytes the server fails the whole COPY (SQLSTATE 22021). Check external input with
    /// ``PostgresText/isStorable(_:)``.
    @inlinable
    public mutating func append(text bytes: RawSpan) {
        appendField(bytes, version: nil)
    }

    /// `text`, `varchar` or `json`; the server refuses a string with a NUL.
    @inlinable
    public mutating func append(text string: borrowing String) {
        appendField(unsafe string.utf8Span.span.bytes, version: nil)
    }

    /// `jsonb` from JSON text in UTF-8, which the server parses.
    @inlinable
    public mutating func append(jsonb bytes: RawSpan) {
        appendField(bytes, version: 1)
    }

    /// `jsonb` from JSON text, which the server parses.
    @inlinable
    public mutating func append(jsonb string: borrowing String) {
        appendField(unsafe string.utf8Span.span.bytes, version: 1)
    }

    /// A value that the caller has encoded, for column types without an append of their own.
    @inlinable
    public mutating func append(field bytes: RawSpan) {
        appendField(bytes, version: nil)
    }

    // MARK: Fields

    @inlinable
    mutating func appendWord(_ word: Int32) {
        reserve(4)
        store(word)
        missingColumns &-= 1
    }

    /// - Parameter version: A byte before the value, as in `jsonb`; nil for none.
    @inlinable
    mutating func appendField(_ bytes: RawSpan, version: UInt8?) {
        let extra = version == nil ? 0 : 1
        let count = bytes.byteCount
        guard count <= CopyBuffer.maximumFieldSize &- extra else {
            missingColumns &-= 1
            return noteFault(.fieldTooLong)
        }
        reserve(4 &+ extra &+ count)
        store(Int32(truncatingIfNeeded: count &+ extra))
        if let version { store(version) }
        unsafe bytes.withUnsafeBytes { source in
            // An empty span has no address.
            guard let address = source.baseAddress else { return }
            // `reserve` has made room, and the span can't belong to this buffer, which is held exclusively.
            unsafe (storage + writtenBytes).copyMemory(from: address, byteCount: count)
        }
        writtenBytes &+= count
        missingColumns &-= 1
    }
}
