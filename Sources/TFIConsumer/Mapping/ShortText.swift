/// A text of 8 to 64 bytes from this program's own code, in the form that is compared fastest with a message's bytes:
/// as 64-bit words, the last of which overlaps the one before.
struct ShortText: Sendable, BitwiseCopyable {
    private var words = InlineArray<8, UInt64>(repeating: 0)
    private let lastWord: UInt64
    let count: Int

    /// - Precondition: The text has 8 to 64 bytes.
    init(_ text: String) {
        let bytes = Array(text.utf8)
        precondition((8...64).contains(bytes.count))
        func word(at offset: Int) -> UInt64 {
            unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        }
        for index in 0..<bytes.count / 8 { words[index] = word(at: index * 8) }
        lastWord = word(at: bytes.count - 8)
        count = bytes.count
    }

    /// Whether the bytes from `offset` on are this text.
    @inline(__always)
    func isIn(_ bytes: RawSpan, at offset: Int) -> Bool {
        guard bytes.byteCount &- offset >= count, offset >= 0 else { return false }
        // The guard has seen that all of them are there.
        for index in 0..<count / 8 {
            let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ index &* 8, as: UInt64.self)
            if word != words[index] { return false }
        }
        let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ count &- 8, as: UInt64.self)
        return word == lastWord
    }
}
