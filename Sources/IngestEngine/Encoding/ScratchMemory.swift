/// Memory for one value's characters after its escapes are resolved, kept for the next one.
@safe struct ScratchMemory: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity = 256

    init() { unsafe memory = .allocate(byteCount: capacity, alignment: 16) }

    deinit { unsafe memory.deallocate() }

    /// Room for so many bytes and some more. What was there before is gone.
    mutating func room(_ count: Int) -> UnsafeMutableRawPointer {
        if count &+ 16 > capacity {
            capacity = max(capacity * 2, count + 16)
            unsafe memory.deallocate()
            unsafe memory = .allocate(byteCount: capacity, alignment: 16)
        }
        return unsafe memory
    }

    /// The characters of a string with escapes, valid until the next call.
    mutating func unescape(_ text: ByteView) -> ByteView {
        let target = unsafe room(text.count)
        let count = unsafe JSONText.unescape(text, to: target)
        return unsafe ByteView(UnsafeRawPointer(target), count)
    }
}
