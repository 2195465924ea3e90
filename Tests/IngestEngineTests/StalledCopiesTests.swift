import Testing

@testable import IngestEngine

/// Which lock holders count as stuck.
@Suite("Stalled COPYs")
struct StalledCopiesTests {
    private static let start = ContinuousClock.now

    private func holder(_ pid: Int32, _ progress: String?) -> LockHolder {
        LockHolder(
            pid: pid, application: "consumer", host: "127.0.0.1", since: "2024-03-12", state: "active",
            copyProgress: progress)
    }

    private func pids(_ copies: inout StalledCopies, _ holders: [LockHolder], at seconds: Int) -> [Int32] {
        copies.add(holders, at: Self.start + .seconds(seconds)).map(\.pid)
    }

    @Test func aCopyThatReceivesNothingForTheLimitIsStuck() {
        var copies = StalledCopies(limit: .seconds(25))
        for second in stride(from: 0, to: 25, by: 5) {
            #expect(pids(&copies, [holder(1, "0 bytes")], at: second).isEmpty)
        }
        #expect(pids(&copies, [holder(1, "0 bytes")], at: 25) == [1])
        // If it could not be terminated, it is found again.
        #expect(pids(&copies, [holder(1, "0 bytes")], at: 30) == [1])
    }

    @Test func aCopyThatReceivesRowsIsNotStuck() {
        var copies = StalledCopies(limit: .seconds(25))
        for second in stride(from: 0, to: 200, by: 20) {
            #expect(pids(&copies, [holder(1, "\(second) bytes")], at: second).isEmpty)
        }
        #expect(pids(&copies, [holder(1, "180 bytes")], at: 204).isEmpty)
        #expect(pids(&copies, [holder(1, "180 bytes")], at: 205) == [1])
    }

    /// It waits for a lock itself, runs a trigger, or its transaction has ended.
    @Test(arguments: [[], [nil]] as [[String?]])
    func aHolderThatDidSomethingElseInBetweenIsNotStuck(between: [String?]) {
        var copies = StalledCopies(limit: .seconds(25))
        #expect(pids(&copies, [holder(1, "a")], at: 0).isEmpty)
        #expect(pids(&copies, between.map { holder(1, $0) }, at: 20).isEmpty)
        #expect(pids(&copies, [holder(1, "a")], at: 30).isEmpty)
        #expect(pids(&copies, [holder(1, "a")], at: 55) == [1])
    }

    @Test func eachHolderIsTrackedSeparately() {
        var copies = StalledCopies(limit: .seconds(25))
        #expect(pids(&copies, [holder(1, "a"), holder(2, nil)], at: 0).isEmpty)
        #expect(pids(&copies, [holder(1, "a"), holder(2, "a"), holder(3, "c")], at: 25) == [1])
        #expect(pids(&copies, [holder(2, "a"), holder(3, "d")], at: 50) == [2])
    }
}
