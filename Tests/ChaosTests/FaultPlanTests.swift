import Testing

@testable import Chaos

@Suite("Fault plans")
struct FaultPlanTests {
    private func plan(_ seed: UInt64, seconds: Int = 600, processes: Int = 4) -> [Fault] {
        Array(FaultPlan(seed: seed, seconds: seconds, processes: processes, topics: 2))
    }

    @Test func seedDeterminesTheFaults() {
        #expect(plan(7) == plan(7))
        #expect(plan(7) != plan(8))
        // A shorter run is a prefix of a longer one.
        #expect(plan(7, seconds: 60) == Array(plan(7).prefix(60)))
    }

    @Test func eachSecondHasAFault() {
        for processes in 1...5 { #expect(plan(1, processes: processes).count == 600) }
        #expect(plan(1, seconds: 0).isEmpty)
    }

    @Test func aMinuteHasAllKindsOfTargets() {
        for seed in 0..<20 as Range<UInt64> {
            let targets = Set(plan(seed, seconds: 60, processes: 1).map(\.target))
            #expect(targets == [.process(1), .database, .brokers, .connections], "seed \(seed)")
        }
    }

    /// Otherwise two of three brokers could be down at the same time, so that nothing could be written.
    @Test func disturbsNoBrokerWhileOneStarts() {
        for seed in 0..<20 as Range<UInt64> {
            var last = -100
            for (second, fault) in plan(seed).enumerated() {
                switch fault {
                case .killBroker, .restartBroker:
                    #expect(second - last >= 8, "seed \(seed), second \(second)")
                    last = second + 12
                case .moveLeaders: #expect(second >= last, "seed \(seed), second \(second)")
                default: break
                }
            }
        }
    }
}
