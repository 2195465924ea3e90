/// A JSON object whose members are strings without escapes and whole numbers.
enum FlatObject {
    /// Computes a number from all members, so that the compiler cannot skip any: the length of each string, and the
    /// value of each number.
    static func digest(_ bytes: RawSpan) -> UInt64 {
        var digest: UInt64 = 0
        var position = 0
        while position < bytes.byteCount {
            let byte = Self.byte(bytes, position)
            position += 1
            if byte == UInt8(ascii: "\"") {
                let start = position
                while position < bytes.byteCount, Self.byte(bytes, position) != UInt8(ascii: "\"") { position += 1 }
                digest = digest &* 31 &+ UInt64(position - start)
                position += 1
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                var number = UInt64(byte - UInt8(ascii: "0"))
                while position < bytes.byteCount {
                    let digit = Self.byte(bytes, position) &- UInt8(ascii: "0")
                    guard digit < 10 else { break }
                    number = number &* 10 &+ UInt64(digit)
                    position += 1
                }
                digest = digest &* 31 &+ number
            }
        }
        return digest
    }

    @inline(__always)
    private static func byte(_ bytes: RawSpan, _ position: Int) -> UInt8 {
        // Every caller has compared the position, which only grows, with the end.
        unsafe bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
    }
}
