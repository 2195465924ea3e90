extension JSONScanner {
    /// Takes an object or an array that no path leads into, without recursion.
    ///
    /// - Parameter depth: How many objects and arrays are around it.
    @inline(never)
    mutating func container(depth: Int) -> Bool {
        var level = 0
        var slot = JSONSlot()
        var hasEscapes = false
        while true {
            // A value is next.
            let first = peek()
            var closes = false
            switch first {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard level &+ depth < Self.maximumDepth else { return fail(.depth, at: position) }
                let isObject = first == UInt8(ascii: "{")
                nesting.setObject(isObject, at: level)
                level &+= 1
                position &+= 1
                closes = peek() == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
                if !closes {
                    if isObject { guard key(&hasEscapes) else { return false } }
                    continue
                }
                if level &+ depth > Self.usualDepth { isUnusual = true }
            case UInt8(ascii: "\""):
                position &+= 1
                guard string(&hasEscapes) else { return false }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard number(into: &slot) else { return false }
            default:
                guard word(first) != nil else { return false }
            }
            // What follows a value.
            while true {
                if closes {
                    position &+= 1
                    level &-= 1
                    if level == 0 { return true }
                }
                let isObject = nesting.isObject(at: level &- 1)
                let next = peek()
                if next == UInt8(ascii: ",") {
                    position &+= 1
                    if isObject { guard key(&hasEscapes) else { return false } }
                    break
                }
                guard next == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    return fail(isObject ? .objectEnd : .arrayEnd, at: position)
                }
                closes = true
            }
            if level &+ depth > Self.usualDepth { isUnusual = true }
        }
    }

    /// Takes a field's name and the colon behind it.
    private mutating func key(_ hasEscapes: inout Bool) -> Bool {
        guard peek() == UInt8(ascii: "\"") else { return fail(.key, at: position) }
        position &+= 1
        guard string(&hasEscapes) else { return false }
        guard peek() == UInt8(ascii: ":") else { return fail(.colon, at: position) }
        position &+= 1
        return true
    }
}

/// Which of the open containers are objects, a bit for each level; the others are arrays.
///
/// Plain memory of its owner, made once, since a message must not allocate.
@safe struct NestingBits: BitwiseCopyable {
    private let words: UnsafeMutablePointer<UInt64>

    init() {
        unsafe words = .allocate(capacity: JSONScanner.maximumDepth / 64)
        unsafe words.initialize(repeating: 0, count: JSONScanner.maximumDepth / 64)
    }

    /// Called by the owner once nothing uses the bits any more.
    func deallocate() { unsafe words.deallocate() }

    /// - Precondition: `level` is below `JSONScanner.maximumDepth`.
    @inline(__always)
    func setObject(_ isObject: Bool, at level: Int) {
        let bit: UInt64 = 1 << UInt64(level & 63)
        let before = unsafe words[level >> 6]
        unsafe words[level >> 6] = isObject ? before | bit : before & ~bit
    }

    /// - Precondition: `level` is below `JSONScanner.maximumDepth`.
    @inline(__always)
    func isObject(at level: Int) -> Bool { unsafe words[level >> 6] & 1 << UInt64(level & 63) != 0 }
}
