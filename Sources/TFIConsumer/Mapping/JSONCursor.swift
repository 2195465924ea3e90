/// Walks over one JSON text (RFC 8259) without making anything of it: a value is looked at where it lies.
///
/// Every step says false where the text isn't as it should be, and then `problem` and `position` tell what and where.
struct JSONCursor: ~Escapable {
    /// How deep objects and arrays may lie in each other; deeper ones are refused rather than run out of stack.
    private static let maximumDepth = 64

    let text: RawSpan
    private(set) var position = 0
    private(set) var problem: StaticString = ""

    @_lifetime(copy text)
    init(_ text: RawSpan) {
        self.text = text
    }

    @inline(__always)
    private func byte(at offset: Int) -> UInt8 {
        // Every caller has compared the offset with the count before.
        unsafe text.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// The next byte that isn't white space, without taking it; 0 at the end (which is never valid JSON).
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func peek() -> UInt8 {
        while position < text.byteCount {
            let next = byte(at: position)
            guard next <= 0x20, next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 else { return next }
            position &+= 1
        }
        return 0
    }

    /// Takes one character that has to be there.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(truncatingIfNeeded: character.value), position < text.byteCount else { return false }
        position &+= 1
        return true
    }

    @_lifetime(self: copy self)
    mutating func fail(_ reason: StaticString) -> Bool {
        problem = reason
        return false
    }

    // MARK: Strings

    /// Takes exactly this text if it comes next.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func take(exactly expected: ShortText) -> Bool {
        guard expected.isIn(text, at: position) else { return false }
        position &+= expected.count
        return true
    }

    /// Takes a string. Its bytes between the quotes are `range`; `isPlain` says that no escape is among them.
    @_lifetime(self: copy self)
    mutating func takeString() -> (range: Range<Int>, isPlain: Bool)? {
        guard take("\"") else {
            _ = fail("a string is expected")
            return nil
        }
        let start = position
        var isPlain = true
        var isASCII = true
        while position < text.byteCount {
            let next = byte(at: position)
            if next == UInt8(ascii: "\"") {
                let range = start..<position
                guard isASCII || isUTF8(range) else {
                    _ = fail("a string isn't UTF-8")
                    return nil
                }
                position += 1
                return (range, isPlain)
            }
            if next < 0x20 {
                _ = fail("a control character stands in a string")
                return nil
            }
            if next == UInt8(ascii: "\\") {
                isPlain = false
                guard takeEscape() else { return nil }
            } else {
                if next >= 0x80 { isASCII = false }
                position += 1
            }
        }
        _ = fail("a string doesn't end")
        return nil
    }

    private func isUTF8(_ range: Range<Int>) -> Bool {
        (try? UTF8Span(validating: Span<UInt8>(_bytes: text.extracting(range)))) != nil
    }

    @_lifetime(self: copy self)
    private mutating func takeEscape() -> Bool {
        guard position + 1 < text.byteCount else { return fail("a string doesn't end") }
        switch byte(at: position + 1) {
        case UInt8(ascii: "u"):
            guard position + 6 <= text.byteCount, (2..<6).allSatisfy({ hexValue(byte(at: position + $0)) != nil })
            else { return fail("an escape in a string isn't four hexadecimal digits") }
            position += 6
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        default:
            return fail("there is no such escape in a string")
        }
        return true
    }

    /// A string's characters with its escapes resolved; for the rare strings that have any.
    func decode(_ range: Range<Int>) -> [UInt8] {
        var decoded: [UInt8] = []
        var units: [UInt16] = []
        func flush() {
            if !units.isEmpty { decoded += Array(String(decoding: units, as: UTF16.self).utf8) }
            units = []
        }
        var index = range.lowerBound
        while index < range.upperBound {
            let next = byte(at: index)
            guard next == UInt8(ascii: "\\") else {
                flush()
                decoded.append(next)
                index += 1
                continue
            }
            let kind = byte(at: index + 1)
            if kind == UInt8(ascii: "u") {
                units.append((2..<6).reduce(0) { $0 << 4 | UInt16(hexValue(byte(at: index + $1)) ?? 0) })
                index += 6
                continue
            }
            flush()
            let escapes: [UInt8: UInt8] = [
                UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13,
                UInt8(ascii: "t"): 9,
            ]
            decoded.append(escapes[kind] ?? kind)
            index += 2
        }
        flush()
        return decoded
    }

    private func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    // MARK: Numbers

    enum Integer {
        case value(Int64)
        /// A whole number with more digits than 64 bits hold.
        case tooLarge
        /// Something else, or a number with a fraction or an exponent.
        case notAnInteger
    }

    /// Takes a whole number. Nothing is taken where something else stands there.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func takeInteger() -> Integer {
        var index = position
        let isNegative = index < text.byteCount && byte(at: index) == UInt8(ascii: "-")
        if isNegative { index &+= 1 }
        let first = index
        var magnitude: Int64 = 0
        while index < text.byteCount {
            let digit = byte(at: index) &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            // 18 digits always fit.
            if index &- first >= 18 { return takeLongInteger(first) }
            magnitude = magnitude &* 10 &+ Int64(digit)
            index &+= 1
        }
        guard index > first, isEndOfInteger(index, first) else { return .notAnInteger }
        position = index
        return .value(isNegative ? -magnitude : magnitude)
    }

    /// Whether a whole number ends here: no fraction or exponent follows, and no digit after a leading zero.
    @inline(__always)
    private func isEndOfInteger(_ end: Int, _ first: Int) -> Bool {
        if end &- first > 1, byte(at: first) == UInt8(ascii: "0") { return false }
        guard end < text.byteCount else { return true }
        let next = byte(at: end)
        return next != UInt8(ascii: ".") && next != UInt8(ascii: "e") && next != UInt8(ascii: "E")
    }

    @_lifetime(self: copy self)
    private mutating func takeLongInteger(_ first: Int) -> Integer {
        var end = first
        while end < text.byteCount, byte(at: end) &- UInt8(ascii: "0") <= 9 { end += 1 }
        guard isEndOfInteger(end, first) else { return .notAnInteger }
        position = end
        return .tooLarge
    }

    // MARK: Any value

    /// Takes a value of any type, checking that it is well formed.
    @_lifetime(self: copy self)
    mutating func skipValue(depth: Int = 0) -> Bool {
        guard depth < Self.maximumDepth else { return fail("objects and arrays lie too deep in each other") }
        switch peek() {
        case UInt8(ascii: "\""): return takeString() != nil
        case UInt8(ascii: "{"): return skipObject(depth)
        case UInt8(ascii: "["): return skipArray(depth)
        case UInt8(ascii: "t"): return skipWord("true")
        case UInt8(ascii: "f"): return skipWord("false")
        case UInt8(ascii: "n"): return skipWord("null")
        default: return skipNumber()
        }
    }

    @_lifetime(self: copy self)
    private mutating func skipObject(_ depth: Int) -> Bool {
        position += 1
        if take("}") { return true }
        repeat {
            guard takeString() != nil else { return false }
            guard take(":") else { return fail("a colon is expected after a field's name") }
            guard skipValue(depth: depth + 1) else { return false }
        } while take(",")
        return take("}") || fail("a comma or a closing brace is expected")
    }

    @_lifetime(self: copy self)
    private mutating func skipArray(_ depth: Int) -> Bool {
        position += 1
        if take("]") { return true }
        repeat {
            guard skipValue(depth: depth + 1) else { return false }
        } while take(",")
        return take("]") || fail("a comma or a closing bracket is expected")
    }

    @_lifetime(self: copy self)
    private mutating func skipWord(_ word: StaticString) -> Bool {
        let matches = word.withUTF8Buffer { buffer in
            position + buffer.count <= text.byteCount
                && buffer.indices.allSatisfy { unsafe byte(at: position + $0) == buffer[$0] }
        }
        guard matches else { return fail("a value is expected") }
        position += word.utf8CodeUnitCount
        return true
    }

    @_lifetime(self: copy self)
    private mutating func skipNumber() -> Bool {
        func digits(from start: Int) -> Int {
            var end = start
            while end < text.byteCount, byte(at: end) &- UInt8(ascii: "0") <= 9 { end += 1 }
            return end
        }
        func has(_ characters: [UInt8], at index: Int) -> Bool {
            index < text.byteCount && characters.contains(byte(at: index))
        }
        var index = position
        if has([UInt8(ascii: "-")], at: index) { index += 1 }
        let whole = digits(from: index)
        guard whole > index else { return fail("a value is expected") }
        guard whole == index + 1 || byte(at: index) != UInt8(ascii: "0") else {
            return fail("a number begins with a zero")
        }
        index = whole
        if has([UInt8(ascii: ".")], at: index) {
            let end = digits(from: index + 1)
            guard end > index + 1 else { return fail("a number ends in a point") }
            index = end
        }
        if has([UInt8(ascii: "e"), UInt8(ascii: "E")], at: index) {
            index += 1
            if has([UInt8(ascii: "+"), UInt8(ascii: "-")], at: index) { index += 1 }
            let end = digits(from: index)
            guard end > index else { return fail("a number's exponent has no digits") }
            index = end
        }
        position = index
        return true
    }
}
