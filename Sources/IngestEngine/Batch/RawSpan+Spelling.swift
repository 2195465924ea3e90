extension RawSpan {
    /// Whether the bytes are the UTF-8 of a text. Comparing strings would treat the two forms of `é` as equal.
    func spells(_ text: String) -> Bool {
        let expected = text.utf8
        guard byteCount == expected.count else { return false }
        // The offset is less than the count.
        return expected.enumerated().allSatisfy { offset, byte in
            unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) == byte
        }
    }
}
