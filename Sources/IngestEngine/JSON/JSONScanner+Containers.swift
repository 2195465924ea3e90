extension JSONScanner {
    /// Skips an object or array that no path leads into, without recursion.
    ///
    /// - Parameters:
    ///   - start: The position of its opening brace or bracket.
    ///   - depth: The number of objects and arrays around it.
    /// - Returns: The position after it; -1 if it is invalid.
    @inline(never)
    mutating func container(at start: Int, depth: Int) -> Int {
        var level = 0
        var slot = JSONSlot()
        var kind = JSONKind.null
        var hasEscapes = false
        var position = start
        while position >= 0 {
            // A value follows.
            position = skipSpace(position)
            let first = text.byte(orZero: position)
            var closes = false
            switch first {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard level &+ depth < Self.maximumDepth else { return fail(.depth, at: position) }
                let isObject = first == UInt8(ascii: "{")
                nesting.setObject(isObject, at: level)
                level &+= 1
                if level &+ depth > Self.usualDepth { isUnusual = true }
                position = skipSpace(position &+ 1)
                closes = text.byte(orZero: position) == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
                if !closes {
                    if isObject { position = key(at: position, &hasEscapes) }
                    continue
                }
            case UInt8(ascii: "\""): position = string(from: position &+ 1, &hasEscapes)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): position = number(at: position, into: &slot)
            default: position = word(at: position, &kind)
            }
            // Handle what follows a value.
            while position >= 0 {
                if closes {
                    position &+= 1
                    level &-= 1
                    if level == 0 { return position }
                }
                let isObject = nesting.isObject(at: level &- 1)
                position = skipSpace(position)
                let next = text.byte(orZero: position)
                if next == UInt8(ascii: ",") {
                    position &+= 1
                    if isObject { position = key(at: skipSpace(position), &hasEscapes) }
                    break
                }
                guard next == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    return fail(isObject ? .objectEnd : .arrayEnd, at: position)
                }
                closes = true
            }
        }
        return -1
    }

    /// Skips a field's name and colon.
    @inline(__always)
    private mutating func key(at start: Int, _ hasEscapes: inout Bool) -> Int {
        guard text.byte(orZero: start) == UInt8(ascii: "\"") else { return fail(.key, at: start) }
        let end = string(from: start &+ 1, &hasEscapes)
        guard end >= 0 else { return -1 }
        let colon = skipSpace(end)
        guard text.byte(orZero: colon) == UInt8(ascii: ":") else { return fail(.colon, at: colon) }
        return colon &+ 1
    }
}

/// One bit per nesting level, set if the open container is an object and clear if it is an array.
///
/// The memory is allocated once by its owner, since scanning a message must not allocate.
@safe struct NestingBits: BitwiseCopyable {
    private let words: UnsafeMutablePointer<UInt64>

    init() {
        unsafe words = .allocate(capacity: JSONScanner.maximumDepth / 64)
        unsafe words.initialize(repeating: 0, count: JSONScanner.maximumDepth / 64)
    }

    /// Frees the memory. The owner calls it after the last use.
    func deallocate() { unsafe words.deallocate() }

    /// - Precondition: `level` is less than `JSONScanner.maximumDepth`.
    @inline(__always)
    func setObject(_ isObject: Bool, at level: Int) {
        let bit: UInt64 = 1 << UInt64(level & 63)
        let before = unsafe words[level >> 6]
        unsafe words[level >> 6] = isObject ? before | bit : before & ~bit
    }

    /// - Precondition: `level` is less than `JSONScanner.maximumDepth`.
    @inline(__always)
    func isObject(at level: Int) -> Bool { unsafe words[level >> 6] & 1 << UInt64(level & 63) != 0 }
}
