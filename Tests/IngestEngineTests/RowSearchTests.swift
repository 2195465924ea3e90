import Testing

@testable import IngestEngine

@Suite("Search for refused rows")
struct RowSearchTests {
    /// Sends rows as to a database.
    ///
    /// - Parameter namesLine: Whether the database names the first row that it refuses.
    private static func search(
        _ count: Int, refusing bad: Set<Int>, namesLine: Bool, timeLimit: Int = .max
    ) -> (refused: [Int], sent: Int, attempts: Int) {
        var search = RowSearch(count: count)
        var refused: [Int] = []
        var (sent, attempts) = (0, 0)
        var passed: [Int] = []
        while let rows = search.next, attempts < 1_000_000 {
            attempts += 1
            sent += rows.count
            if rows.count > timeLimit {
                let isSplit = search.timedOut()
                #expect(isSplit)
            } else if let first = rows.first(where: bad.contains) {
                if let row = search.failed(line: namesLine ? first - rows.lowerBound + 1 : nil) { refused.append(row) }
            } else {
                passed += rows
                if let row = search.succeeded() { refused.append(row) }
            }
        }
        #expect(passed == (0..<count).filter { !bad.contains($0) })
        #expect(search.passed == passed.count)
        return (refused, sent, attempts)
    }

    @Test(arguments: [true, false]) func everyRefusedRowIsFoundAndNoOther(namesLine: Bool) {
        let cases: [(Int, Set<Int>)] = [
            (1, []), (1, [0]), (2, [0]), (2, [1]), (2, [0, 1]), (10_000, []), (10_000, [0, 9_999]),
            (10_000, Set(stride(from: 3, to: 10_000, by: 97))), (700, Set(0..<700)), (5_000, Set(100..<400)),
        ]
        for (count, bad) in cases {
            #expect(Self.search(count, refusing: bad, namesLine: namesLine).refused == bad.sorted())
            #expect(
                Self.search(count, refusing: bad, namesLine: namesLine, timeLimit: 20).refused == bad.sorted())
        }
    }

    @Test func aNamedRowCostsTwoAttempts() {
        let bad = Set(stride(from: 50, to: 40_000, by: 100))
        let result = Self.search(40_000, refusing: bad, namesLine: true)
        #expect(result.attempts <= 2 * bad.count + 10)
        let halved = Self.search(40_000, refusing: bad, namesLine: false)
        #expect(halved.attempts <= 16 * bad.count)
    }

    @Test func fewRefusedRowsCostFewAttempts() {
        #expect(Self.search(80_000, refusing: [40_000], namesLine: true).attempts < 25)
        #expect(Self.search(80_000, refusing: [40_000], namesLine: false).attempts < 45)
        #expect(Self.search(80_000, refusing: [], namesLine: true).attempts < 12)
    }

    @Test func aNamedRowThatWasNotSentIsIgnored() {
        var search = RowSearch(count: 10)
        let (beyond, next) = (search.failed(line: 11), search.next)
        #expect(beyond == nil && next == 0..<5)
        let before = search.failed(line: 0)
        #expect(before == nil && search.next == 0..<2)
    }

    @Test func aSingleRowCannotBeSplit() {
        var search = RowSearch(count: 2)
        let isSplit = (search.timedOut(), search.timedOut())
        #expect(isSplit == (true, false))
        #expect(search.next == 0..<1)
        #expect(search.maximum == 1)
    }
}

@Suite("Limit of dead letters")
struct DeadLetterLimitTests {
    private typealias Run = DeadLetterCounter.Run

    private static func excess(_ runs: [Run], _ limit: DeadLetterLimit = DeadLetterLimit()) -> DeadLetterLimit.Excess? {
        var counter = DeadLetterCounter(limit: limit)
        for run in runs {
            counter.add(run)
            if let excess = counter.excess { return excess }
        }
        return nil
    }

    @Test func fewRecordsAreNoReasonToStop() {
        #expect(Self.excess([Run(records: 999, rejected: 999)]) == nil)
        #expect(Self.excess([Run(records: 1_000, rejected: 500)]) == nil)
        #expect(Self.excess([Run(records: 1_000, rejected: 501)]) == .share(rejected: 501, of: 1_000))
    }

    @Test func recordsOneByOneCountAsManyTogether() {
        let single = [Run](repeating: Run(records: 1, rejected: 1), count: 1_000)
        #expect(Self.excess(single) == .share(rejected: 1_000, of: 1_000))
        #expect(Self.excess(Array(single.dropLast())) == nil)
        let alternating = (0..<9_000).map { Run(records: 1, rejected: $0 % 2) }
        #expect(Self.excess(alternating) == nil)
    }

    @Test func oldRejectionsDoNotCount() {
        let good = Run(records: 5_000_000, rejected: 0)
        #expect(Self.excess([good] + [Run](repeating: Run(records: 1, rejected: 1), count: 501)) != nil)
        #expect(Self.excess([good] + [Run](repeating: Run(records: 1, rejected: 1), count: 500)) == nil)
    }

    @Test func theTotalOfARunIsLimited() {
        let runs = [Run](repeating: Run(records: 1_000, rejected: 10), count: 1_000)
        #expect(Self.excess(runs) == nil)
        #expect(Self.excess(runs + [Run(records: 1_000, rejected: 1)]) == .total(10_001))
        var counter = DeadLetterCounter(limit: DeadLetterLimit(share: 1, of: 10, total: 1))
        counter.add(Run(records: 2, rejected: 2))
        #expect(counter.excess == .total(2))
        counter.reset()
        #expect(counter.excess == nil)
    }
}

@Suite("Kinds of reasons")
struct RejectionSummaryTests {
    @Test func numbersAndQuotationsDoNotChangeTheKind() {
        var summary = RejectionSummary()
        summary.add("the field x is not an integer: '17'", topic: "t", partition: 0, offset: 5)
        summary.add("the field x is not an integer: 'abc'", topic: "t", partition: 1, offset: 6)
        summary.add("not JSON at byte 17", topic: "t", partition: 1, offset: 7)
        summary.add("not JSON at byte 1234", topic: "t", partition: 1, offset: 8)
        #expect(summary.entries.values.map(\.count) == [2, 2])
        #expect(
            summary.entries.values.map(\.example).sorted() == [
                "partition 0, offset 5 of topic t: the field x is not an integer: '17'",
                "partition 1, offset 7 of topic t: not JSON at byte 17",
            ])
        #expect(summary.last == "not JSON at byte 1234")
    }

    @Test func theNumberOfKindsIsLimited() {
        var summary = RejectionSummary()
        for scalar in 0x4e00..<0x4f00 {
            summary.add(String(Unicode.Scalar(UInt32(scalar)) ?? "x"), topic: "t", partition: 0, offset: 0)
        }
        #expect(summary.entries.count <= 51)
        #expect(summary.entries.values.reduce(0) { $0 + $1.count } == 256)
    }
}
