/// The start of each row of a ``CopyBuffer``, so that some of the rows can be sent.
///
/// Made by scanning the rows once. Sending all rows doesn't need it.
public struct CopyRowIndex: Sendable, Equatable {
    /// The offset of each row's first byte, then the end of the last row.
    private let boundaries: [Int]

    /// The buffer's number of rows when the index was made.
    public var rowCount: Int { boundaries.count - 1 }

    /// Indexes a buffer whose last row is complete.
    public init(_ buffer: borrowing CopyBuffer) {
        let bytes = buffer.bytes
        let units = Span<UInt8>(_bytes: bytes)
        var boundaries = [0]
        boundaries.reserveCapacity(buffer.rowCount + 1)
        var position = 0
        func word(_ count: Int) -> Int? {
            guard position <= bytes.byteCount - count else { return nil }
            var value: Int32 = 0
            for offset in 0..<count {
                value = value << 8 | Int32(units[position + offset])
            }
            position += count
            return Int(value)
        }
        walk: while let columns = word(2) {
            for _ in 0..<columns {
                guard let length = word(4) else { break walk }
                // A null has length -1 and no bytes.
                position += max(length, 0)
            }
            guard position <= bytes.byteCount else { break }
            boundaries.append(position)
        }
        self.boundaries = boundaries
    }

    /// The byte range of some rows; nil if there are fewer rows.
    func bytes(of rows: Range<Int>) -> Range<Int>? {
        guard rows.lowerBound >= 0, rows.upperBound < boundaries.count else { return nil }
        return boundaries[rows.lowerBound]..<boundaries[rows.upperBound]
    }
}
