// Reading and writing single values on the fast path.
extension RowForm {
    /// Reads an integer of at most 18 digits.
    ///
    /// - Returns: The number and the position after it. The position is -1 for anything else, and if the magnitude
    ///   exceeds the limit.
    @inline(__always)
    static func integer(_ message: ByteView, at position: Int, upTo limit: Int64) -> (number: Int64, end: Int) {
        var first = position
        var word = message.word(within: first)
        let isNegative = word & 0xff == UInt64(UInt8(ascii: "-"))
        if isNegative {
            first &+= 1
            word = message.word(within: first)
        }
        let count = ByteView.leadingDigits(word)
        // A leading zero must be the only digit. Comparing the next byte, and not the count, keeps this branch
        // predictable: the count changes from message to message.
        guard count > 0, word & 0xff != 0x30 || (word >> 8 & 0xff) &- 0x30 > 9 else { return (0, -1) }
        var digits = ByteView.number(word, count)
        var end = first &+ count
        if count == 8 {
            while end < message.count {
                let digit = message[end] &- UInt8(ascii: "0")
                guard digit <= 9 else { break }
                guard end &- first < 18 else { return (0, -1) }
                digits = digits &* 10 &+ UInt64(digit)
                end &+= 1
            }
        }
        guard digits <= UInt64(limit) else { return (0, -1) }
        // A fraction or an exponent won't match the following literal text.
        let number = Int64(bitPattern: digits)
        return (isNegative ? 0 &- number : number, end)
    }

    /// Copies a string without escapes.
    ///
    /// - Parameter target: Room for the string and eight more bytes.
    /// - Returns: The string's length, the bitwise OR of its words, and the position after it; -1 if it isn't such a
    ///   string.
    @inline(__always)
    static func copyText(
        _ message: ByteView, at position: Int, to target: UnsafeMutableRawPointer
    ) -> (length: Int, seen: UInt64, end: Int) {
        guard message.byte(orZero: position) == UInt8(ascii: "\"") else { return (0, 0, -1) }
        let first = position &+ 1
        var length = 0
        var seen: UInt64 = 0
        while true {
            // Reads past the message's end give zeros, which stop the loop.
            let word = message.word(within: first &+ length)
            unsafe target.storeBytes(of: word.littleEndian, toByteOffset: length, as: UInt64.self)
            seen |= word
            let stops = JSONScanner.stops(in: word)
            guard stops != 0 else {
                length &+= 8
                continue
            }
            let count = stops.trailingZeroBitCount >> 3
            let stop = word &>> UInt64(truncatingIfNeeded: 8 &* count) & 0xff
            guard stop == UInt64(UInt8(ascii: "\"")) else { return (0, 0, -1) }
            return (length &+ count, seen, first &+ length &+ count &+ 1)
        }
    }

    /// Skips a value of any type.
    ///
    /// - Returns: The position after it, -1 if it is invalid, and the bitwise OR of the words of its strings.
    @inline(never)
    static func skip(
        _ message: ByteView, at position: Int, depth: Int, _ nesting: NestingBits
    ) -> (end: Int, seen: UInt64) {
        var scanner = JSONScanner(message, nesting: nesting)
        var unused = JSONSlot()
        let end = scanner.value(at: position, into: &unused, depth: depth)
        // The general path decides whether unusual values matter.
        return (scanner.isUnusual ? -1 : end, scanner.seenBits)
    }

    // MARK: Stores

    /// Stores a number in network byte order. The caller has reserved the room.
    @inline(__always)
    static func store<T: FixedWidthInteger & BitwiseCopyable>(
        _ value: T, to target: UnsafeMutableRawPointer
    ) {
        unsafe target.storeBytes(of: value.bigEndian, as: T.self)
    }

    @inline(__always)
    static func store<T: FixedWidthInteger & BitwiseCopyable>(
        length: Int32, _ value: T, to target: UnsafeMutableRawPointer
    ) {
        unsafe store(length, to: target)
        unsafe store(value, to: target + 4)
    }
}
