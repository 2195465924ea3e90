// Arrays: a header, followed by elements that are appended like other values.
extension CopyBuffer {
    /// An open array: the position of its header, and the row's state before it.
    @frozen
    public struct ArrayMark: Sendable {
        @usableFromInline let start: Int
        @usableFromInline let dimensions: Int
        @usableFromInline let missingColumns: Int

        @inlinable
        init(start: Int, dimensions: Int, missingColumns: Int) {
            self.start = start
            self.dimensions = dimensions
            self.missingColumns = missingColumns
        }
    }

    /// Opens an array. Append the elements in row-major order, and then call ``endArray(_:lengths:hasNulls:)``.
    ///
    /// - Parameters:
    ///   - elementOID: The OID of the element's type.
    ///   - dimensions: The number of dimensions, at most 6; 0 for an empty array.
    @inlinable
    public mutating func beginArray(elementOID: UInt32, dimensions: Int) -> ArrayMark {
        let mark = ArrayMark(start: writtenBytes, dimensions: dimensions, missingColumns: missingColumns)
        reserve(16 &+ 8 &* dimensions)
        store(Int32(0))
        store(Int32(truncatingIfNeeded: dimensions))
        store(Int32(0))
        store(elementOID)
        for _ in 0..<dimensions {
            store(Int32(0))
            // The lower bound.
            store(Int32(1))
        }
        return mark
    }

    /// Closes an array after its last element.
    ///
    /// - Parameter lengths: The length of each dimension, the outermost first; their product is the number of
    ///   elements.
    public mutating func endArray(_ mark: ArrayMark, lengths: [Int], hasNulls: Bool) {
        guard mark.start &+ 16 &+ 8 &* mark.dimensions <= writtenBytes, lengths.count == mark.dimensions else {
            return noteFault(.foreignMark)
        }
        let end = writtenBytes
        let size = end &- mark.start &- 4
        if size > CopyBuffer.maximumFieldSize { noteFault(.fieldTooLong) }
        writtenBytes = mark.start
        store(Int32(truncatingIfNeeded: size))
        writtenBytes = mark.start &+ 8
        store(Int32(hasNulls ? 1 : 0))
        for (index, length) in lengths.enumerated() {
            writtenBytes = mark.start &+ 16 &+ 8 &* index
            store(Int32(truncatingIfNeeded: length))
        }
        writtenBytes = end
        missingColumns = mark.missingColumns &- 1
    }
}

// Values that the caller writes in place.
extension CopyBuffer {
    /// Appends a value that `body` writes directly into the buffer's memory.
    ///
    /// - Parameters:
    ///   - count: The most bytes that `body` writes, at most ``maximumFieldSize``.
    ///   - body: Receives the address of the value's first byte, and returns the number of bytes written, at most
    ///     `count`; a negative number discards the value.
    /// - Returns: Whether the value was appended.
    @inlinable
    @discardableResult
    public mutating func appendField(atMost count: Int, _ body: (UnsafeMutableRawPointer) -> Int) -> Bool {
        guard count >= 0, count <= CopyBuffer.maximumFieldSize else {
            missingColumns &-= 1
            noteFault(.fieldTooLong)
            return true
        }
        reserve(4 &+ count)
        let written = unsafe body(storage + writtenBytes + 4)
        guard written >= 0 else { return false }
        // A larger number means that memory is already corrupt; continuing would hide that.
        precondition(written <= count)
        store(Int32(truncatingIfNeeded: written))
        writtenBytes &+= written
        missingColumns &-= 1
        return true
    }

    /// Appends a row that `body` writes directly into the buffer's memory: for each value its length as a big-endian
    /// `Int32`, or -1 for null, followed by its bytes.
    ///
    /// - Parameters:
    ///   - columns: The number of values, at most 1,600.
    ///   - count: The most bytes that `body` touches, at most ``maximumFieldSize``.
    ///   - body: Receives the address of the first value's length, and returns the size of all values in bytes, at
    ///     most `count`; a negative number discards the row.
    /// - Returns: Whether the row was appended. false also if the last row is still open or a number is too large.
    @inlinable
    @inline(__always)
    public mutating func appendRow(
        columns: Int, atMost count: Int, _ body: (UnsafeMutableRawPointer) -> Int
    ) -> Bool {
        guard missingColumns == 0, columns >= 0, columns <= 1600, Self.isPossible(rowSize: count) else { return false }
        reserve(2 &+ count)
        let written = unsafe body(storage + writtenBytes + 2)
        guard written >= 0 else { return false }
        // Checked for the same reason as in `appendField`.
        precondition(written <= count)
        store(Int16(truncatingIfNeeded: columns))
        writtenBytes &+= written
        begunRows &+= 1
        return true
    }
}
