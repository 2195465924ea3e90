/// A key that a route asks for, in the form that is compared fastest with a record's key: as 64-bit words, the last of
/// which overlaps the one before.
struct KeyLiteral: Sendable, BitwiseCopyable {
    /// Longer keys are compared in another way.
    static let maximumCount = 64

    private var words = InlineArray<8, UInt64>(repeating: 0)
    private var lastWord: UInt64 = 0
    private let count: Int

    /// The empty text.
    init() { count = 0 }

    /// Nil for a text of more than ``maximumCount`` bytes.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.maximumCount else { return nil }
        count = bytes.count
        func word(at offset: Int) -> UInt64 {
            (0..<min(8, bytes.count - offset)).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
        }
        for index in 0..<bytes.count / 8 { words[index] = word(at: index * 8) }
        lastWord = word(at: max(0, bytes.count - 8))
    }

    /// Whether the bytes are this text.
    @inline(__always)
    func equals(_ bytes: RawSpan) -> Bool {
        guard bytes.byteCount == count else { return false }
        guard count >= 8 else { return equalsShort(bytes) }
        for index in 0..<count / 8 where Self.word(bytes, at: index &* 8) != words[index] { return false }
        return Self.word(bytes, at: count &- 8) == lastWord
    }

    /// - Precondition: Eight bytes are there.
    @inline(__always)
    private static func word(_ bytes: RawSpan, at offset: Int) -> UInt64 {
        // The caller has compared the counts, so that the offset is inside.
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    @inline(never)
    private func equalsShort(_ bytes: RawSpan) -> Bool {
        var word: UInt64 = 0
        for index in 0..<bytes.byteCount {
            word |= UInt64(Span<UInt8>(_bytes: bytes)[index]) << UInt64(8 * index)
        }
        return word == lastWord
    }
}
