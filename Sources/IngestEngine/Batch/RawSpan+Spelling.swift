extension RawSpan {
    /// Whether the bytes are those of a text in UTF-8. Comparing two texts would take `é` in its two forms for the same.
    func spells(_ text: String) -> Bool {
        let expected = text.utf8
        guard byteCount == expected.count else { return false }
        // The offset is below the count.
        return expected.enumerated().allSatisfy { offset, byte in
            unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) == byte
        }
    }
}
