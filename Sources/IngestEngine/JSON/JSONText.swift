/// Converts between a JSON string and its characters.
enum JSONText {
    /// The UTF-16 code unit of a `\uXXXX` escape; nil if it doesn't have four hexadecimal digits.
    static func unit(_ text: ByteView, at index: Int) -> UInt16? {
        guard index + 6 <= text.count, text[index + 1] == UInt8(ascii: "u") else { return nil }
        var unit: UInt16 = 0
        for offset in 2..<6 {
            guard let digit = hexValue(text[index + offset]) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        let digit = byte &- UInt8(ascii: "0")
        if digit <= 9 { return digit }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter <= 5 ? letter &+ 10 : nil
    }

    /// Writes a scanned string's characters as UTF-8, which is never longer than the escapes.
    ///
    /// - Returns: The number of bytes written.
    static func unescape(_ text: ByteView, to target: UnsafeMutableRawPointer) -> Int {
        var written = 0
        func put(_ byte: UInt8) {
            unsafe target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
            written &+= 1
        }
        var index = 0
        while index < text.count {
            let byte = text[index]
            guard byte == UInt8(ascii: "\\") else {
                put(byte)
                index &+= 1
                continue
            }
            let kind = text.byte(orZero: index &+ 1)
            guard kind == UInt8(ascii: "u") else {
                put(character(ofEscape: kind))
                index &+= 2
                continue
            }
            var scalar = UInt32(unit(text, at: index) ?? 0xfffd)
            index &+= 6
            if scalar & 0xfc00 == 0xd800 {
                let low = UInt32(unit(text, at: index) ?? 0xdc00)
                scalar = 0x1_0000 &+ (scalar & 0x3ff) << 10 | low & 0x3ff
                index &+= 6
            }
            switch scalar {
            case 0..<0x80: put(UInt8(truncatingIfNeeded: scalar))
            case 0x80..<0x800:
                put(UInt8(truncatingIfNeeded: 0xc0 | scalar >> 6))
                put(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3f))
            case 0x800..<0x1_0000:
                put(UInt8(truncatingIfNeeded: 0xe0 | scalar >> 12))
                put(UInt8(truncatingIfNeeded: 0x80 | (scalar >> 6) & 0x3f))
                put(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3f))
            default:
                put(UInt8(truncatingIfNeeded: 0xf0 | scalar >> 18))
                put(UInt8(truncatingIfNeeded: 0x80 | (scalar >> 12) & 0x3f))
                put(UInt8(truncatingIfNeeded: 0x80 | (scalar >> 6) & 0x3f))
                put(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3f))
            }
        }
        return written
    }

    private static func character(ofEscape kind: UInt8) -> UInt8 {
        switch kind {
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "t"): 9
        default: kind
        }
    }

    /// Writes characters as a JSON string with quotes, in the form of Postgres's `to_json`: `\b \f \n \r \t \" \\`,
    /// and `\u00XX` for other control characters.
    ///
    /// - Returns: The number of bytes written, at most six per byte of the text and two for the quotes.
    static func escape(_ text: ByteView, to target: UnsafeMutableRawPointer) -> Int {
        var written = 0
        func put(_ byte: UInt8) {
            unsafe target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
            written &+= 1
        }
        func put(escape letter: Unicode.Scalar) {
            put(UInt8(ascii: "\\"))
            put(UInt8(ascii: letter))
        }
        put(UInt8(ascii: "\""))
        for index in 0..<text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\""): put(escape: "\"")
            case UInt8(ascii: "\\"): put(escape: "\\")
            case 8: put(escape: "b")
            case 12: put(escape: "f")
            case 10: put(escape: "n")
            case 13: put(escape: "r")
            case 9: put(escape: "t")
            case 0..<0x20:
                put(escape: "u")
                put(UInt8(ascii: "0"))
                put(UInt8(ascii: "0"))
                put(byte >> 4 &+ UInt8(ascii: "0"))
                put(byte & 15 &+ (byte & 15 > 9 ? UInt8(ascii: "a") &- 10 : UInt8(ascii: "0")))
            default: put(byte)
            }
        }
        put(UInt8(ascii: "\""))
        return written
    }

    /// Appends characters as a JSON string with quotes.
    static func append(_ text: ByteView, to bytes: inout [UInt8]) {
        let addition = unsafe [UInt8](unsafeUninitializedCapacity: text.count * 6 + 2) { buffer, count in
            // The capacity is at least the requested one, which is positive.
            if let base = buffer.baseAddress { count = unsafe escape(text, to: UnsafeMutableRawPointer(base)) }
        }
        bytes += addition
    }
}
