import Testing

@testable import IngestEngine

@Suite("Arithmetic on offsets")
struct OffsetArithmeticTests {
    @Test func noOffsetOfABrokerTraps() {
        let values: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        for left in values {
            for right in values {
                let exact = Double(left) - Double(right)
                let difference = left.subtractingSaturated(right)
                #expect(abs(Double(difference) - min(max(exact, -0x1p63), 0x1p63)) <= 2048)
                let sum = left.addingSaturated(right)
                #expect(abs(Double(sum) - min(max(Double(left) + Double(right), -0x1p63), 0x1p63)) <= 2048)
            }
        }
        #expect(Int64(7).subtractingSaturated(3) == 4)
        #expect(Int64(7).addingSaturated(-3) == 4)
    }
}
