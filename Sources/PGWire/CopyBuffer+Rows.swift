// Rows that get further values, and values of rows that are sent in another way than by COPY.
extension CopyBuffer {
    /// Reopens the last row: as many appends have to follow as columns are added.
    ///
    /// - Parameter mark: Made right before the row was begun.
    public mutating func reopenRow(at mark: Mark, adding columns: Int) {
        guard missingColumns == 0, mark.rowCount + 1 == begunRows, mark.byteCount + 2 <= writtenBytes else {
            return noteFault(.foreignMark)
        }
        // Both bytes are inside the row, as was compared above.
        let before = Int16(
            bigEndian: unsafe storage.loadUnaligned(fromByteOffset: mark.byteCount, as: Int16.self))
        guard columns >= 0, Int(before) + columns <= 1600 else { return noteFault(.columnCount) }
        unsafe storage.storeBytes(
            of: (before + Int16(columns)).bigEndian, toByteOffset: mark.byteCount, as: Int16.self)
        missingColumns = columns
    }

    /// Appends a value in its type's binary form.
    public mutating func append(binary value: RawSpan) { append(bytea: value) }

    /// The bytes of a row's values in its columns' order; nil for null. For rows in small numbers: it allocates.
    ///
    /// - Parameters:
    ///   - row: Counted from 0.
    ///   - index: The index of this buffer, made after its last row was appended.
    /// - Returns: No values if there is no such row.
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
