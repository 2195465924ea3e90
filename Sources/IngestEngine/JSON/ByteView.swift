import Foundation

/// Borrowed bytes, for the duration of one call.
///
/// It is a pointer and a count instead of a span, because slots and steps refer to several such views at once, in
/// trivially copyable memory. The creator of a view must keep the memory alive and unchanged while it is used. Every
/// read is within the view: callers compare offsets with `count` first.
@safe struct ByteView: BitwiseCopyable {
    let base: UnsafeRawPointer
    let count: Int

    @inline(__always)
    init(_ base: UnsafeRawPointer, _ count: Int) {
        unsafe self.base = base
        self.count = count
    }

    /// A view of no bytes, whose address is never read from.
    static var empty: ByteView { unsafe ByteView(UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped, 0) }

    /// - Precondition: `offset < count`.
    @inline(__always)
    subscript(_ offset: Int) -> UInt8 {
        unsafe base.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// The byte at an offset; 0 beyond the end.
    @inline(__always)
    func byte(orZero offset: Int) -> UInt8 { offset < count ? self[offset] : 0 }

    /// Eight bytes, the first in the lowest bits.
    ///
    /// - Precondition: `offset + 8 <= count`.
    @inline(__always)
    func word(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Two bytes, the first in the lowest bits.
    ///
    /// - Precondition: `offset + 2 <= count`.
    @inline(__always)
    func half(_ offset: Int) -> UInt16 {
        UInt16(littleEndian: unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// The eight bytes at an offset; bytes beyond the end are 0.
    @inline(__always)
    func word(padded offset: Int) -> UInt64 {
        if offset &+ 8 <= count { return word(offset) }
        return shortWord(offset)
    }

    /// The eight bytes at an offset, without a loop; bytes beyond the end are 0.
    ///
    /// - Precondition: `count >= 8`.
    @inline(__always)
    func word(within offset: Int) -> UInt64 {
        let missing = offset &+ 8 &- count
        if missing <= 0 { return word(offset) }
        // Shift the last eight bytes so that those before the offset are dropped.
        return missing < 8 ? word(count &- 8) &>> UInt64(truncatingIfNeeded: 8 &* missing) : 0
    }

    @inline(never)
    private func shortWord(_ offset: Int) -> UInt64 {
        var word: UInt64 = 0
        var index = offset
        while index < count {
            word |= UInt64(self[index]) << UInt64(8 * (index - offset))
            index += 1
        }
        return word
    }

    /// - Precondition: The range is inside the view.
    @inline(__always)
    func slice(_ offset: Int, _ length: Int) -> ByteView { unsafe ByteView(base + offset, length) }

    @inline(__always)
    func equals(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        return unsafe memcmp(base, other.base, count) == 0
    }

    /// - Precondition: The target has room for `count` bytes.
    @inline(__always)
    func copy(to target: UnsafeMutableRawPointer) {
        if count > 0 { unsafe target.copyMemory(from: base, byteCount: count) }
    }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

    /// The bytes as text, with invalid UTF-8 replaced.
    var string: String { unsafe String(decoding: bytes, as: UTF8.self) }

    /// Whether the bytes are valid UTF-8 without NUL.
    var isStorableText: Bool { isUTF8 && !contains(0) }

    /// Whether the bytes are valid UTF-8. Most bytes are ASCII even in texts with other characters, so only the parts
    /// that aren't ASCII are validated. Such a part ends at the next eight bytes of ASCII or at the end of the text.
    var isUTF8: Bool {
        var start = 0
        while true {
            while start &+ 8 <= count, word(start) & Self.highBits == 0 { start &+= 8 }
            start &+= start < count ? (word(padded: start) & Self.highBits).trailingZeroBitCount >> 3 : 0
            guard start < count else { return true }
            var end = start
            while end < count, word(padded: end) & Self.highBits != 0 { end &+= 8 }
            end = min(end, count)
            guard slice(start, end &- start).isWhollyUTF8 else { return false }
            start = end
        }
    }

    private static var highBits: UInt64 { 0x8080_8080_8080_8080 }

    private var isWhollyUTF8: Bool {
        // The span doesn't outlive the call.
        unsafe (try? UTF8Span(validating: Span(_unsafeBytes: bytes))) != nil
    }

    func contains(_ byte: UInt8) -> Bool {
        unsafe memchr(base, Int32(byte), count) != nil
    }
}

extension ByteView {
    /// The number of decimal digits at the start of a word of eight bytes.
    @inline(__always)
    static func leadingDigits(_ word: UInt64) -> Int {
        let values = word ^ 0x3030_3030_3030_3030
        // Only a byte that isn't a digit carries, so the lowest bit is always right.
        let wrong = ((values &+ 0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080
        return wrong.trailingZeroBitCount >> 3
    }

    /// The number formed by the first `count` digits of a word.
    ///
    /// - Precondition: `count` is from 1 to 8.
    @inline(__always)
    static func number(_ word: UInt64, _ count: Int) -> UInt64 {
        // Zeros in front pad them to eight digits.
        eight((word ^ 0x3030_3030_3030_3030) &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count))
    }

    /// Millionths of a decimal fraction, from a word with at most six digits followed by zero bytes.
    @inline(__always)
    static func millionths(_ word: UInt64) -> UInt64 {
        // Zero bytes act as the missing digits and as two leading zeros.
        eight((word & 0x0f0f_0f0f_0f0f_0f0f) &<< 16)
    }

    /// The number formed by eight bytes that each hold a digit's value, the first in the lowest bits.
    @inline(__always)
    private static func eight(_ digits: UInt64) -> UInt64 {
        let pairs = digits &* 10 &+ digits >> 8
        let low = (pairs & 0x0000_00ff_0000_00ff) &* 0x000f_4240_0000_0064
        let high = (pairs >> 16 & 0x0000_00ff_0000_00ff) &* 0x0000_2710_0000_0001
        return (low &+ high) >> 32
    }

    /// Whether a byte is white space to C's `isspace`, which Postgres's input functions skip.
    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 9 && byte <= 13) }

    /// The view without white space at both ends.
    @inline(__always)
    var trimmed: ByteView {
        var start = 0
        var end = count
        while start < end, Self.isSpace(self[start]) { start &+= 1 }
        while end > start, Self.isSpace(self[end &- 1]) { end &-= 1 }
        return slice(start, end &- start)
    }

    /// Compares with a lower-case ASCII word, ignoring case.
    func equals(ignoringCase word: StaticString) -> Bool {
        word.utf8CodeUnitCount == count && has(ignoringCase: word, at: 0)
    }

    /// Whether a lower-case ASCII word occurs, ignoring case.
    func contains(ignoringCase word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard count >= length else { return false }
        return (0...(count - length)).contains { has(ignoringCase: word, at: $0) }
    }

    private func has(ignoringCase word: StaticString, at offset: Int) -> Bool {
        word.withUTF8Buffer { expected in
            for index in expected.indices {
                let byte = self[offset + index]
                let lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
                guard unsafe lower == expected[index] else { return false }
            }
            return true
        }
    }
}
