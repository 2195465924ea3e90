import CommandLineSupport

extension [UInt8] {
    /// Appends bytes as a JSON string (RFC 8259), or as `{"base64":"…"}` (RFC 4648, section 4) if they are not UTF-8.
    mutating func append(json bytes: RawSpan) {
        let start = count
        guard !append(quoting: bytes) else { return }
        removeLast(count - start)
        append(contentsOf: #"{"base64":""#.utf8)
        append(base64: bytes)
        append(contentsOf: "\"}".utf8)
    }

    /// Appends bytes as a JSON string, and stops at the first invalid UTF-8.
    ///
    /// Control characters that a terminal would interpret are escaped.
    ///
    /// - Returns: Whether all bytes are valid UTF-8.
    mutating func append(quoting bytes: RawSpan) -> Bool {
        append(UInt8(ascii: "\""))
        var position = 0
        while position < bytes.byteCount {
            let end = bytes.plainTextEnd(from: position, isASCII: true)
            if end > position { append(contentsOf: bytes.extracting(position..<end)) }
            position = end
            guard position < bytes.byteCount else { break }
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case UInt8(ascii: "\n"): append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\r"): append(contentsOf: #"\r"#.utf8)
            case UInt8(ascii: "\t"): append(contentsOf: #"\t"#.utf8)
            case 0..<0x80: append(escaping: Unicode.Scalar(byte))
            default:
                let length = bytes.wellFormedLength(at: position)
                guard length > 0 else { return false }
                if let scalar = bytes.hiddenScalar(at: position, length: length) {
                    append(escaping: scalar)
                } else {
                    append(contentsOf: bytes.extracting(position..<position + length))
                }
                position += length - 1
            }
            position += 1
        }
        append(UInt8(ascii: "\""))
        return true
    }

    /// Appends `\u` and four hexadecimal digits.
    private mutating func append(escaping scalar: Unicode.Scalar) {
        append(contentsOf: #"\u"#.utf8)
        for shift in [12, 8, 4, 0] as [UInt32] {
            let digit = UInt8(scalar.value >> shift & 0xf)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

extension RawSpan {
    subscript(position: Int) -> UInt8 {
        // Every bit pattern is a valid byte, and `position` is checked.
        unsafe unsafeLoad(fromByteOffset: position, as: UInt8.self)
    }

    /// The end of the text from `start` on that needs no escaping in a JSON string: the next quote, backslash or
    /// control character, or the end of the bytes.
    ///
    /// - Parameter isASCII: Whether the text also ends at a byte that is not ASCII.
    func plainTextEnd(from start: Int, isASCII: Bool) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var position = start
        while position + 8 <= byteCount {
            // The condition checks the bounds, and every bit pattern is a valid number.
            let word = UInt64(
                littleEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5c)
            let deletes = word ^ (ones &* 0x7f)
            // The top bit of each byte that stops the text. A carry can set it for bytes above such a byte, never below.
            var stops = (word &- ones &* 0x20) & ~word
            stops |= (quotes &- ones) & ~quotes
            stops |= (backslashes &- ones) & ~backslashes
            stops |= (deletes &- ones) & ~deletes
            if isASCII { stops |= word }
            stops &= tops
            if stops != 0 { return position + stops.trailingZeroBitCount / 8 }
            position += 8
        }
        while position < byteCount {
            switch self[position] {
            case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x7f: return position
            case 0x80...0xff where isASCII: return position
            default: position += 1
            }
        }
        return position
    }

    /// The scalar of two or three bytes at a position, if it must be escaped for terminals; nil for others.
    func hiddenScalar(at position: Int, length: Int) -> Unicode.Scalar? {
        // C1 controls, U+061C, and the controls of U+20xx begin with these.
        guard length < 4, [0xc2, 0xd8, 0xe2].contains(self[position]) else { return nil }
        var value = UInt32(self[position]) & (length == 2 ? 0x1f : 0xf)
        for index in 1..<length { value = value << 6 | UInt32(self[position + index] & 0x3f) }
        return Unicode.Scalar(value).flatMap { ForeignText.isHidden($0) ? $0 : nil }
    }

    /// The length in bytes of the multi-byte character at a position; 0 if it is not well-formed UTF-8 (Unicode 15,
    /// table 3-7).
    func wellFormedLength(at position: Int) -> Int {
        let first = self[position]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch first {
        case 0xc2...0xdf: length = 2
        case 0xe0:
            length = 3
            second = 0xa0...0xbf
        case 0xed:
            length = 3
            second = 0x80...0x9f
        case 0xe1...0xef: length = 3
        case 0xf0:
            length = 4
            second = 0x90...0xbf
        case 0xf4:
            length = 4
            second = 0x80...0x8f
        case 0xf1...0xf3: length = 4
        default: return 0
        }
        guard byteCount - position >= length, second.contains(self[position + 1]) else { return 0 }
        for index in 2..<Swift.max(2, length) where self[position + index] & 0xc0 != 0x80 { return 0 }
        return length
    }
}
