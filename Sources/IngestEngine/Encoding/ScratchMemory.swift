/// Reusable memory for one value's unescaped characters.
@safe struct ScratchMemory: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity = 256

    init() { unsafe memory = .allocate(byteCount: capacity, alignment: 16) }

    deinit { unsafe memory.deallocate() }

    /// Returns room for at least `count + 16` bytes and discards the previous contents.
    mutating func room(_ count: Int) -> UnsafeMutableRawPointer {
        if count &+ 16 > capacity {
            capacity = max(capacity * 2, count + 16)
            unsafe memory.deallocate()
            unsafe memory = .allocate(byteCount: capacity, alignment: 16)
        }
        return unsafe memory
    }

    /// The unescaped characters of a string, valid until the next call.
    mutating func unescape(_ text: ByteView) -> ByteView {
        let target = unsafe room(text.count)
        let count = unsafe JSONText.unescape(text, to: target)
        return unsafe ByteView(UnsafeRawPointer(target), count)
    }
}
