/// Base64 by RFC 4648, section 4, with or without padding, or in the URL-safe alphabet of section 5.
enum Base64 {
    /// Decodes a text.
    ///
    /// - Parameter target: Room for at least as many bytes as the text has.
    /// - Returns: The number of bytes written; -1 if the text is invalid.
    static func decode(_ text: ByteView, to target: UnsafeMutableRawPointer) -> Int {
        var end = text.count
        while end > 0, end > text.count - 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
        guard end & 3 != 1, end == text.count || text.count & 3 == 0 else { return -1 }
        var written = 0
        var bits: UInt32 = 0
        var count = 0
        for index in 0..<end {
            guard let digit = digit(text[index]) else { return -1 }
            bits = bits << 6 | digit
            count += 6
            if count >= 8 {
                count -= 8
                unsafe target.storeBytes(
                    of: UInt8(truncatingIfNeeded: bits >> UInt32(count)), toByteOffset: written, as: UInt8.self)
                written += 1
            }
        }
        // Leftover bits must be zero.
        return bits & (1 << UInt32(count) - 1) == 0 ? written : -1
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte) - 97 + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) - 48 + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
