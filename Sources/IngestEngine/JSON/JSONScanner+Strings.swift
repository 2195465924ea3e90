extension JSONScanner {
    /// Scans the rest of a string after its opening quote.
    ///
    /// - Parameter hasEscapes: Set to whether the string has escapes.
    /// - Returns: The position after the closing quote; -1 if the string is invalid.
    @inline(__always)
    mutating func string(from start: Int, _ hasEscapes: inout Bool) -> Int {
        hasEscapes = false
        var index = start
        var seen: UInt64 = 0
        while index &+ 8 <= text.count {
            let word = text.word(index)
            seen |= word
            let stops = Self.stops(in: word)
            if stops == 0 {
                index &+= 8
                continue
            }
            index &+= stops.trailingZeroBitCount >> 3
            guard text[index] == UInt8(ascii: "\"") else { break }
            seenBits |= seen
            return index &+ 1
        }
        seenBits |= seen
        return carefulString(from: index, &hasEscapes)
    }

    /// A mask whose lowest set bit is bit 7 of the first quote, backslash or control character of a word. Higher bits
    /// are unreliable.
    @inline(__always)
    static func stops(in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* 0x22)
        let backslashes = word ^ (ones &* 0x5c)
        // A subtraction borrows from the next byte only if its own byte matches, so the lowest bit is always right.
        let found =
            ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes) | ((word &- ones &* 0x20) & ~word)
        return found & (ones &* 0x80)
    }

    /// Scans the string byte by byte, including escapes.
    @inline(never)
    private mutating func carefulString(from start: Int, _ hasEscapes: inout Bool) -> Int {
        var index = start
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") { return index + 1 }
            guard byte >= 0x20 else { return fail(.control, at: index) }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                let length = escape(at: index)
                guard length > 0 else { return -1 }
                index &+= length
                continue
            }
            seenBits |= UInt64(byte)
            index &+= 1
            while index &+ 8 <= text.count {
                let word = text.word(index)
                let stops = Self.stops(in: word)
                seenBits |= word
                index &+= stops == 0 ? 8 : stops.trailingZeroBitCount >> 3
                if stops != 0 { break }
            }
        }
        return fail(.end, at: index)
    }

    /// The length of an escape in bytes; 0 if it is invalid.
    private mutating func escape(at index: Int) -> Int {
        switch text.byte(orZero: index + 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return 2
        case UInt8(ascii: "u"): break
        default:
            _ = fail(index + 1 < text.count ? .escape : .end, at: index)
            return 0
        }
        guard let unit = JSONText.unit(text, at: index) else {
            _ = fail(.escape, at: index)
            return 0
        }
        switch unit {
        case 0:
            _ = fail(.nul, at: index)
            return 0
        case 0xd800...0xdbff:
            guard text.byte(orZero: index + 6) == UInt8(ascii: "\\"), let low = JSONText.unit(text, at: index + 6),
                (0xdc00...0xdfff).contains(low)
            else { break }
            return 12
        case 0xdc00...0xdfff: break
        default: return 6
        }
        _ = fail(.surrogate, at: index)
        return 0
    }
}
