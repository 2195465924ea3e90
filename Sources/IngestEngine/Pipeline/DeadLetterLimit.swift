/// How many dead letters are taken for single bad records; more of them have a common cause, such as a constraint that
/// was added to the table, and consumption has to wait for its repair.
public typealias DeadLetterLimit = Mapping.DeadLetterLimit

extension Mapping.DeadLetterLimit {
    /// Which part of the limit was exceeded.
    enum Excess: Equatable, Sendable, CustomStringConvertible {
        case share(rejected: Int, of: Int)
        case total(Int)

        var description: String {
            switch self {
            case .share(let rejected, let count): "\(rejected) of the last \(count) records were rejected"
            case .total(let count): "\(count) records were rejected in this run"
            }
        }
    }

    /// A batch was not committed because its dead letters would exceed the limit.
    struct Reached: Error {
        let excess: Excess
        /// Why the last of the records was rejected.
        let reason: String
    }
}

/// Compares the dead letters of consecutive records with a limit. A plain value: a copy tells what would be if a batch
/// were committed.
struct DeadLetterCounter: Sendable {
    /// Consecutive records, in the order in which they were read.
    struct Run: Sendable, Equatable {
        var records: Int
        var rejected: Int
    }

    let limit: DeadLetterLimit
    /// How many records were rejected in the whole run, without those of other workers.
    private(set) var total: Int
    /// How many records other workers of the run have rejected.
    var rejectedElsewhere = 0
    /// The last `limit.of` records, and perhaps a few more.
    private var window: [Run] = []
    private var windowSum = Run(records: 0, rejected: 0)

    init(limit: DeadLetterLimit, total: Int = 0) {
        self.limit = limit
        self.total = total
    }

    mutating func add(_ run: Run) {
        guard run.records > 0 else { return }
        total += run.rejected
        var run = run
        // Of equal records only as many are needed as a window has.
        let most = max(limit.of, 1)
        if run.records > most, run.rejected == 0 { run.records = most }
        if run.records > most, run.rejected >= run.records { run = Run(records: most, rejected: most) }
        // A stream of good records is one run, not one for each of them.
        if run.rejected == 0, let last = window.last, last.rejected == 0, last.records + run.records <= most {
            window[window.count - 1].records += run.records
        } else {
            window.append(run)
        }
        windowSum.records += run.records
        windowSum.rejected += run.rejected
        var dropped = 0
        while dropped < window.count, windowSum.records > most {
            let first = window[dropped]
            let surplus = windowSum.records - most
            if first.records <= surplus {
                windowSum.records -= first.records
                windowSum.rejected -= first.rejected
                dropped += 1
            } else {
                // Of a run with some rejected records it isn't known which they are, so it stays whole.
                guard first.rejected == 0 || first.rejected >= first.records else { break }
                let isRejected = first.rejected > 0
                window[dropped] = Run(
                    records: first.records - surplus, rejected: isRejected ? first.records - surplus : 0)
                windowSum.records -= surplus
                if isRejected { windowSum.rejected -= surplus }
            }
        }
        window.removeFirst(dropped)
    }

    /// What is exceeded; nil if nothing is.
    var excess: DeadLetterLimit.Excess? {
        if total + rejectedElsewhere > limit.total { return .total(total + rejectedElsewhere) }
        let isFull = windowSum.records >= max(limit.of, 1)
        guard isFull, Double(windowSum.rejected) > limit.share * Double(windowSum.records) else { return nil }
        return .share(rejected: windowSum.rejected, of: windowSum.records)
    }

    /// Begins anew, after the cause of many rejections was repaired.
    mutating func reset() { self = DeadLetterCounter(limit: limit) }
}
