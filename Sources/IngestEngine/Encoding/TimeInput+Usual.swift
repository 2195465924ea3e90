// Fast parsers for the most frequent forms of times in a message.
extension TimeInput {
    /// Parses the JSON string of a time: `yyyy-MM-dd HH:mm:ss`, optionally with `T`, with a fraction of at most six
    /// digits, and with `Z` or `+00:00`.
    ///
    /// - Parameter position: The position of the opening quote; not negative.
    /// - Returns: Microseconds since 2000-01-01 and the position after the string; -1 for any other form.
    @inline(__always)
    mutating func usualTimestamp(_ message: ByteView, at position: Int) -> (microseconds: Int64, end: Int) {
        let start = position &+ 1
        // The quotes and 19 characters.
        guard message.count &- start >= 20, message[position] == UInt8(ascii: "\""),
            let days = days(message, at: start),
            message[start &+ 10] == UInt8(ascii: " ") || message[start &+ 10] == UInt8(ascii: "T"),
            let seconds = Self.seconds(message.word(start &+ 11))
        else { return (0, -1) }
        var microseconds = seconds &* 1_000_000
        var end = start &+ 19
        var next = message.word(within: end)
        if next & 0xff == UInt64(UInt8(ascii: ".")) {
            next &>>= 8
            // The zero byte that was shifted in is no digit, so there are at most seven.
            let count = ByteView.leadingDigits(next)
            guard count > 0, count <= 6 else { return (0, -1) }
            let bits = UInt64(truncatingIfNeeded: 8 &* count)
            microseconds &+= Int64(bitPattern: ByteView.millionths(next & (1 &<< bits &- 1)))
            end &+= 1 &+ count
            next &>>= bits
        }
        if next & 0xff == UInt64(UInt8(ascii: "Z")) {
            end &+= 1
            next = UInt64(message.byte(orZero: end))
        } else if next & 0xff == UInt64(UInt8(ascii: "+")), message.word(within: end) << 16 == Self.zeroOffset {
            end &+= 6
            next = UInt64(message.byte(orZero: end))
        }
        guard next & 0xff == UInt64(UInt8(ascii: "\"")) else { return (0, -1) }
        return (days &* ParsedTime.microsecondsPerDay &+ microseconds, end &+ 1)
    }

    /// Two zero bytes and `+00:00` as one word.
    private static var zeroOffset: UInt64 { 0x3030_3a30_302b_0000 }

    /// Parses the JSON string `yyyy-MM-dd`, which has twelve bytes.
    ///
    /// - Parameter position: The position of the opening quote; not negative.
    /// - Returns: Days since 2000-01-01; nil for any other form.
    @inline(__always)
    mutating func usualDate(_ message: ByteView, at position: Int) -> Int64? {
        let start = position &+ 1
        guard message.count &- start >= 11, message[position] == UInt8(ascii: "\""),
            message[start &+ 10] == UInt8(ascii: "\"")
        else { return nil }
        return days(message, at: start)
    }
}
