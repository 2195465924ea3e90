/// The variable-length integers of records: zigzag encoding, seven bits per byte, low bits first.
///
/// Zigzag keeps small negative numbers short. An integer that can't be decoded moves the position to `outOfBounds`. The
/// caller compares the position with the record's end anyway, so the common path needs no extra check.
@usableFromInline
enum Varint {
    /// A position past any end, small enough that adding lengths doesn't overflow.
    @usableFromInline static var outOfBounds: Int { 1 << 62 }

    /// Reads an integer of at most 32 bits and advances `position`, which must not be negative.
    @usableFromInline
    static func int32(_ bytes: RawSpan, _ position: inout Int) -> Int {
        Int(truncatingIfNeeded: decode(bytes, &position, bits: 32))
    }

    /// Reads an integer of at most 64 bits and advances `position`, which must not be negative.
    static func int64(_ bytes: RawSpan, _ position: inout Int) -> Int64 {
        decode(bytes, &position, bits: 64)
    }

    private static func decode(_ bytes: RawSpan, _ position: inout Int, bits: Int) -> Int64 {
        var value: UInt64 = 0
        var shift = 0
        while position < bytes.byteCount {
            // The loop's condition has checked the bounds.
            let byte = UInt64(unsafe bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self))
            position += 1
            // The last byte of an integer may use fewer than seven bits.
            if shift + 7 > bits, byte >> (bits - shift) != 0 { break }
            value |= (byte & 0x7f) << shift
            if byte & 0x80 == 0 { return unzigzag(value) }
            shift += 7
        }
        position = outOfBounds
        return 0
    }

    /// Reads an integer of at most three bytes, still zigzag-encoded, and advances `position`.
    ///
    /// - Precondition: `position` isn't negative, and four bytes follow it. This is not checked.
    /// - Returns: nil if the integer is longer.
    @unsafe
    @inlinable
    @inline(__always)
    static func short(_ bytes: RawSpan, _ position: inout Int) -> UInt32? {
        let word = UInt32(
            littleEndian: unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt32.self))
        if word & 0x80 == 0 {
            position &+= 1
            return word & 0x7f
        }
        if word & 0x8000 == 0 {
            position &+= 2
            return word & 0x7f | word >> 1 & 0x3f80
        }
        if word & 0x80_0000 == 0 {
            position &+= 3
            return word & 0x7f | word >> 1 & 0x3f80 | word >> 2 & 0x1f_c000
        }
        return nil
    }

    @inlinable
    @inline(__always)
    static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    @inline(__always)
    static func zigzag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: value << 1 ^ value >> 63)
    }

    /// The encoded size of `value` in bytes.
    @inline(__always)
    static func size(_ value: Int64) -> Int {
        (70 - (zigzag(value) | 1).leadingZeroBitCount) / 7
    }

    /// Writes `value` at `target`, which must have room for `size(value)` bytes.
    ///
    /// - Returns: The position after it.
    @inline(__always)
    static func store(_ value: Int64, at target: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var rest = zigzag(value)
        var target = unsafe target
        while rest >= 0x80 {
            unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            unsafe target += 1
            rest >>= 7
        }
        unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        return unsafe target + 1
    }
}
