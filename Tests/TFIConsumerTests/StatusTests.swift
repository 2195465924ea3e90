import IngestEngine
import Testing

@testable import TFIConsumer

@Suite("Lag")
struct StatusTests {
    @Test func extremeBrokerOffsetsDoNotTrap() {
        for end in [Int64.min, -1, 0, .max] {
            for committed in [Int64.min, 0, .max] {
                let row = StatusCommand.Row(topic: "t", partition: 0, committed: committed, begin: 0, end: end)
                #expect(row.lag == end.subtractingSaturated(committed))
            }
        }
        #expect(StatusCommand.Row(topic: "t", partition: 0, committed: nil, begin: 3, end: 7).lag == 4)
    }
}
