/// A route's key condition, stored for the fastest comparison with record keys.
@safe struct KeyLiteral: ~Copyable {
    /// The key's bytes, owned by this value alone. They are in memory of their own because an array inside a value is
    /// copied before it is indexed.
    private let memory: UnsafeMutableRawPointer
    private let count: Int

    init(_ text: String) {
        let bytes = Array(text.utf8)
        count = bytes.count
        unsafe memory = .allocate(byteCount: max(bytes.count, 8), alignment: 8)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: max(bytes.count, 8))
        for (index, byte) in bytes.enumerated() {
            unsafe memory.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
    }

    deinit { unsafe memory.deallocate() }

    /// Whether the bytes equal the key.
    @inline(__always)
    func equals(_ bytes: RawSpan) -> Bool {
        guard bytes.byteCount == count else { return false }
        guard count >= 8 else { return equalsShort(bytes) }
        var offset = 0
        while offset &+ 8 < count {
            if !isSame(bytes, at: offset) { return false }
            offset &+= 8
        }
        // This word may overlap the previous one.
        return isSame(bytes, at: count &- 8)
    }

    /// Whether eight bytes at an offset are equal.
    ///
    /// - Precondition: `offset + 8` is at most the count of both.
    @inline(__always)
    private func isSame(_ bytes: RawSpan, at offset: Int) -> Bool {
        // The caller has compared the counts, so the offset is in bounds.
        unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            == memory.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    @inline(never)
    private func equalsShort(_ bytes: RawSpan) -> Bool {
        for index in 0..<count {
            // Both counts are equal, so the index is in bounds of both.
            guard
                unsafe bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
                    == memory.load(fromByteOffset: index, as: UInt8.self)
            else { return false }
        }
        return true
    }
}
