import Testing

@testable import KafkaWire

@Suite("Sequence numbers")
struct SequenceNumberTests {
    @Test("sequence numbers start over after the highest one")
    func wrap() {
        #expect(SequenceNumber(.max).advanced(by: 1) == .first)
        #expect(SequenceNumber(.max - 1).advanced(by: 5).value == 3)
        #expect(SequenceNumber.first.advanced(by: 7).value == 7)
    }

    @Test(
        "of two sequence numbers, the earlier one has the shorter distance to the other",
        arguments: [(0, 1), (5, 900), (.max, 0), (.max - 3, 2), (0, 1 << 29)] as [(Int32, Int32)])
    func order(earlier: Int32, later: Int32) {
        #expect(SequenceNumber(earlier).precedes(SequenceNumber(later)))
        #expect(!SequenceNumber(later).precedes(SequenceNumber(earlier)))
        #expect(!SequenceNumber(earlier).precedes(SequenceNumber(earlier)))
    }
}
