/// The number of a record in its partition, by which a broker knows a batch that it has (KIP-98).
///
/// Numbers go from 0 to 2^31 - 1 and then start over, so that of two numbers the earlier one is the one with the shorter
/// way to the other.
struct SequenceNumber: Hashable, Sendable {
    let value: Int32

    /// - Parameter value: Not negative.
    init(_ value: Int32) {
        self.value = value & .max
    }

    static let first = SequenceNumber(0)

    /// The number so many records further on.
    func advanced(by count: Int) -> SequenceNumber {
        SequenceNumber(Int32(truncatingIfNeeded: Int64(value) &+ Int64(count)))
    }

    func precedes(_ other: SequenceNumber) -> Bool {
        let way = (other.value &- value) & .max
        return way != 0 && way < 1 << 30
    }
}
