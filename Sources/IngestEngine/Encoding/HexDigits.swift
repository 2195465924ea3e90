/// Decodes hexadecimal digits of either case, eight at a time.
enum HexDigits {
    /// Decodes eight digits.
    ///
    /// - Parameter word: Eight digits, the first in the lowest bits.
    /// - Returns: Four bytes, the first in the lowest bits; nil if a character isn't a digit.
    @inline(__always)
    static func bytes(_ word: UInt64) -> UInt32? {
        let low = word & 0x7f7f_7f7f_7f7f_7f7f
        let lower = low | 0x2020_2020_2020_2020
        // Bit 7 of each byte is set if the byte is in the range of its kind. No sum carries into the next byte.
        let digits = (low &+ 0x5050_5050_5050_5050) & ~(low &+ 0x4646_4646_4646_4646)
        let letters = (lower &+ 0x1f1f_1f1f_1f1f_1f1f) & ~(lower &+ 0x1919_1919_1919_1919) & 0x8080_8080_8080_8080
        guard (digits | letters) & ~word & 0x8080_8080_8080_8080 == 0x8080_8080_8080_8080 else { return nil }
        let values = (word & 0x0f0f_0f0f_0f0f_0f0f) &+ (letters >> 7) &* 9
        var pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff
        pairs = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff
        return UInt32(truncatingIfNeeded: pairs | pairs >> 16)
    }

    /// Decodes an even number of digits.
    ///
    /// - Parameter target: Room for half as many bytes as the text has.
    /// - Returns: The number of bytes written; -1 if the text is invalid.
    static func decode(_ text: ByteView, to target: UnsafeMutableRawPointer) -> Int {
        guard text.count & 1 == 0 else { return -1 }
        var index = 0
        while index &+ 8 <= text.count {
            guard let bytes = bytes(text.word(index)) else { return -1 }
            unsafe target.storeBytes(of: bytes.littleEndian, toByteOffset: index / 2, as: UInt32.self)
            index &+= 8
        }
        // Zeros in front pad the rest to eight digits.
        let rest = text.count &- index
        guard rest > 0 else { return index / 2 }
        let shift = UInt64(truncatingIfNeeded: 64 &- 8 &* rest)
        let word = text.word(padded: index) &<< shift | 0x3030_3030_3030_3030 &>> (64 &- shift)
        guard var bytes = bytes(word) else { return -1 }
        bytes &>>= UInt32(truncatingIfNeeded: shift / 2)
        while index < text.count {
            unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: bytes), toByteOffset: index / 2, as: UInt8.self)
            bytes >>= 8
            index &+= 2
        }
        return index / 2
    }

    /// Decodes a UUID into its 16 bytes.
    ///
    /// - Parameter text: A text of 36 characters.
    /// - Returns: 16; -1 if the text is invalid.
    static func decodeUUID(_ text: ByteView, to target: UnsafeMutableRawPointer) -> Int {
        guard text[8] == UInt8(ascii: "-"), text[13] == UInt8(ascii: "-"), text[18] == UInt8(ascii: "-"),
            text[23] == UInt8(ascii: "-"), let first = bytes(text.word(0)),
            let second = bytes(text.word(9) & 0xffff_ffff | text.word(14) << 32),
            let third = bytes(text.word(19) & 0xffff_ffff | text.word(24) << 32), let fourth = bytes(text.word(28))
        else { return -1 }
        let words: InlineArray<4, UInt32> = [first, second, third, fourth]
        for index in 0..<4 {
            unsafe target.storeBytes(of: words[index].littleEndian, toByteOffset: 4 &* index, as: UInt32.self)
        }
        return 16
    }
}
