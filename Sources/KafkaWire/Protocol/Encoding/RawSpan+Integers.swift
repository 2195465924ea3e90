extension RawSpan {
    /// The big-endian integer at `offset`.
    ///
    /// - Precondition: The integer lies within the span.
    func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as _: T.Type = T.self) -> T {
        precondition(offset >= 0 && offset <= byteCount - MemoryLayout<T>.size)
        return T(bigEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
    }

    /// The little-endian integer at `offset`, for codec formats.
    ///
    /// - Precondition: The integer lies within the span.
    func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as _: T.Type = T.self) -> T {
        bigEndian(at: offset, as: T.self).byteSwapped
    }
}
