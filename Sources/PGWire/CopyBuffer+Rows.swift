// Adding values to a complete row, and reading a row's values so that they can be sent without COPY.
extension CopyBuffer {
    /// Reopens the last row; an append per added column must follow.
    ///
    /// - Parameter mark: The mark made right before the row was begun.
    public mutating func reopenRow(at mark: Mark, adding columns: Int) {
        guard missingColumns == 0, mark.rowCount + 1 == begunRows, mark.byteCount + 2 <= writtenBytes else {
            return noteFault(.foreignMark)
        }
        // Both bytes are in the row, as checked above.
        let before = Int16(
            bigEndian: unsafe storage.loadUnaligned(fromByteOffset: mark.byteCount, as: Int16.self))
        guard columns >= 0, Int(before) + columns <= 1600 else { return noteFault(.columnCount) }
        unsafe storage.storeBytes(
            of: (before + Int16(columns)).bigEndian, toByteOffset: mark.byteCount, as: Int16.self)
        missingColumns = columns
    }

    /// Appends a value in its type's binary form.
    public mutating func append(binary value: RawSpan) { append(bytea: value) }

    /// A row's values in column order as bytes; nil for null. Only for few rows, since it allocates.
    ///
    /// - Parameters:
    ///   - row: The index of the row.
    ///   - index: The index of this buffer, made after its last row was appended.
    /// - Returns: The values; empty if there is no such row.
    public func values(ofRow row: Int, _ index: CopyRowIndex) -> [[UInt8]?] {
        guard let range = index.bytes(of: row..<row + 1), range.upperBound <= byteCount else { return [] }
        let bytes = unsafe bytes.extracting(range).withUnsafeBytes { unsafe Array($0) }
        var values: [[UInt8]?] = []
        var position = 2
        while position + 4 <= bytes.count {
            let length = bytes[position..<position + 4].reduce(Int32(0)) { $0 << 8 | Int32($1) }
            position += 4
            guard length >= 0 else {
                values.append(nil)
                continue
            }
            guard position + Int(length) <= bytes.count else { return [] }
            values.append(Array(bytes[position..<position + Int(length)]))
            position += Int(length)
        }
        return values
    }
}
