/// Base64 with padding (RFC 4648, section 4).
enum Base64 {
    fileprivate static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")
    private static let invalid: UInt8 = 0xff

    /// The value of each letter; `invalid` for other bytes.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, letter) in letters.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    /// Decodes the base64 at the end of an array in place.
    ///
    /// - Parameter start: The index where the base64 begins.
    /// - Returns: Whether it is valid: complete, padded, and without set bits beyond the last byte.
    static func decode(_ bytes: inout [UInt8], from start: Int) -> Bool {
        guard (bytes.count - start).isMultiple(of: 4) else { return false }
        guard bytes.count > start else { return true }
        var end = bytes.count
        while end > bytes.count - 2, bytes[end - 1] == padding { end -= 1 }
        var (target, pending, bitCount) = (start, UInt32(0), 0)
        for index in start..<end {
            let value = values[Int(bytes[index])]
            guard value != invalid else { return false }
            pending = pending << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                // `target` never passes the last letter that was read.
                bytes[target] = UInt8(truncatingIfNeeded: pending >> UInt32(bitCount))
                target += 1
            }
        }
        guard pending & (1 << UInt32(bitCount) - 1) == 0 else { return false }
        bytes.removeLast(bytes.count - target)
        return true
    }
}

extension [UInt8] {
    /// Appends bytes encoded as base64.
    mutating func append(base64 bytes: RawSpan) {
        var position = 0
        while position < bytes.byteCount {
            let left = bytes.byteCount - position
            let first = UInt32(bytes[position]) << 16
            let second = left > 1 ? UInt32(bytes[position + 1]) << 8 : 0
            let group = first | second | (left > 2 ? UInt32(bytes[position + 2]) : 0)
            append(Base64.letters[Int(group >> 18)])
            append(Base64.letters[Int(group >> 12 & 0x3f)])
            append(left > 1 ? Base64.letters[Int(group >> 6 & 0x3f)] : UInt8(ascii: "="))
            append(left > 2 ? Base64.letters[Int(group & 0x3f)] : UInt8(ascii: "="))
            position += 3
        }
    }
}
