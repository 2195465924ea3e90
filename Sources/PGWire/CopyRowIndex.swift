/// Where each row of a ``CopyBuffer`` begins, so that a part of the rows can be sent.
///
/// Made by walking the rows once; not needed to send all of them.
public struct CopyRowIndex: Sendable, Equatable {
    /// The first byte of each row, and behind the last row the end of all.
    private let boundaries: [Int]

    /// How many rows the buffer had when the index was made.
    public var rowCount: Int { boundaries.count - 1 }

    /// The rows of a buffer. Its last row has to be complete.
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
                // A null has the length -1 and no bytes.
                position += max(length, 0)
            }
            guard position <= bytes.byteCount else { break }
            boundaries.append(position)
        }
        self.boundaries = boundaries
    }

    /// The bytes of some rows, counted from 0; nil if there are not so many.
    func bytes(of rows: Range<Int>) -> Range<Int>? {
        guard rows.lowerBound >= 0, rows.upperBound < boundaries.count else { return nil }
        return boundaries[rows.lowerBound]..<boundaries[rows.upperBound]
    }
}
