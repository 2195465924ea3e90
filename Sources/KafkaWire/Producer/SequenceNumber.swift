/// The number of a record in its partition, by which a broker recognizes a batch that it has already (KIP-98).
///
/// Numbers run from 0 to 2³¹ - 1 and then wrap around. Of two numbers, the earlier is the one with the shorter forward
/// distance to the other.
struct SequenceNumber: Hashable, Sendable {
    let value: Int32

    /// - Parameter value: Not negative.
    init(_ value: Int32) {
        self.value = value & .max
    }

    static let first = SequenceNumber(0)

    /// The number `count` records later.
    func advanced(by count: Int) -> SequenceNumber {
        SequenceNumber(Int32(truncatingIfNeeded: Int64(value) &+ Int64(count)))
    }

    func precedes(_ other: SequenceNumber) -> Bool {
        let distance = (other.value &- value) & .max
        return distance != 0 && distance < 1 << 30
    }
}
