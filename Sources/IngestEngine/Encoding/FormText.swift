/// The literal text between two values of a ``RowForm``, stored for the fastest comparison with a message.
@safe struct FormText: BitwiseCopyable {
    /// The longest text that is compared by words alone, in bytes.
    private static let shortCount = 32

    let count: Int
    /// The first eight bytes; a shorter text is padded with zeros.
    private var first: UInt64 = 0
    /// The last eight bytes; for a shorter text the mask of the bits of `first` to compare.
    private var last: UInt64 = 0
    /// For a text of more than 16 bytes: bytes 8 to 15, and the eight bytes before `last`.
    private var second: UInt64 = 0
    private var third: UInt64 = 0
    /// All bytes of a text of more than 32 bytes; nil if shorter.
    private var long: UnsafeRawPointer?

    /// The empty text.
    init() { count = 0 }

    /// Creates the literal of some bytes.
    ///
    /// - Parameters:
    ///   - memory: Stores long texts; it must outlive them.
    ///   - used: The number of used bytes of the memory, which is advanced.
    init(_ bytes: [UInt8], _ memory: UnsafeMutableRawPointer, _ used: inout Int) {
        count = bytes.count
        func word(_ start: Int) -> UInt64 {
            bytes.dropFirst(start).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        first = word(0)
        guard count >= 8 else {
            last = 1 << UInt64(8 * count) - 1
            return
        }
        last = word(count - 8)
        guard count > 16 else { return }
        second = word(8)
        third = word(count - 16)
        guard count > Self.shortCount else { return }
        let place = unsafe memory + used
        used += count
        unsafe bytes.withUnsafeBytes { source in
            // A long text isn't empty, so it has an address.
            if let base = source.baseAddress { unsafe place.copyMemory(from: base, byteCount: source.count) }
        }
        unsafe long = UnsafeRawPointer(place)
    }

    /// Whether the message has the text at this offset.
    @inline(__always)
    func isIn(_ message: ByteView, at offset: Int) -> Bool {
        guard message.count &- offset >= count else { return false }
        guard count >= 8 else { return count == 0 || (message.word(within: offset) ^ first) & last == 0 }
        let end = offset &+ count
        // The words may overlap.
        let ends = (message.word(offset) ^ first) | (message.word(end &- 8) ^ last)
        if count <= 16 { return ends == 0 }
        let inner = (message.word(offset &+ 8) ^ second) | (message.word(end &- 16) ^ third)
        guard ends | inner == 0 else { return false }
        return count <= Self.shortCount || isMiddleIn(message, at: offset)
    }

    @inline(never)
    private func isMiddleIn(_ message: ByteView, at offset: Int) -> Bool {
        guard let long = unsafe long else { return false }
        return unsafe message.slice(offset, count).equals(ByteView(long, count))
    }
}
