/// The variable-length integers of records: zigzag, so that small negative numbers are short too, then seven bits a
/// byte, the low ones first.
///
/// A decoded integer that doesn't fit moves the position to `outOfBounds`. The caller sees that by the comparison
/// with the record's end that it has to make anyway, so that the common path has no check of its own.
@usableFromInline
enum Varint {
    /// Behind the end of everything, and far enough from `Int.max` to add lengths to it.
    @usableFromInline static var outOfBounds: Int { 1 << 62 }

    /// Reads an integer of at most 32 bits, and moves `position`, which isn't negative, past it.
    @usableFromInline
    static func int32(_ bytes: RawSpan, _ position: inout Int) -> Int {
        Int(truncatingIfNeeded: decode(bytes, &position, bits: 32))
    }

    /// Reads an integer of at most 64 bits, and moves `position`, which isn't negative, past it.
    static func int64(_ bytes: RawSpan, _ position: inout Int) -> Int64 {
        decode(bytes, &position, bits: 64)
    }

    private static func decode(_ bytes: RawSpan, _ position: inout Int, bits: Int) -> Int64 {
        var value: UInt64 = 0
        var shift = 0
        while position < bytes.byteCount {
            // The loop's condition has seen the end.
            let byte = UInt64(unsafe bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self))
            position += 1
            // The last byte of an integer has fewer than seven bits to give.
            if shift + 7 > bits, byte >> (bits - shift) != 0 { break }
            value |= (byte & 0x7f) << shift
            if byte & 0x80 == 0 { return unzigzag(value) }
            shift += 7
        }
        position = outOfBounds
        return 0
    }

    /// Reads an integer of at most three bytes, without its zigzag undone, and moves `position` past it; nil where
    /// there are more.
    ///
    /// - Precondition: `position` isn't negative, and four bytes are there, which isn't checked.
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

    /// How many bytes `value` takes.
    @inline(__always)
    static func size(_ value: Int64) -> Int {
        (70 - (zigzag(value) | 1).leadingZeroBitCount) / 7
    }

    /// Writes `value` at `target`, where there are `size(value)` bytes.
    ///
    /// - Returns: Where the next byte goes.
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
