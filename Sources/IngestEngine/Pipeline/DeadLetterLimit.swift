/// The most dead letters that can be single bad records. More of them have a common cause, such as a new constraint of
/// the table, and consumption waits until it is repaired.
public typealias DeadLetterLimit = Mapping.DeadLetterLimit

extension Mapping.DeadLetterLimit {
    /// The part of the limit that was exceeded.
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
        /// The reason why the last record was rejected.
        let reason: String
    }
}

/// Compares the dead letters of consecutive records with a limit. A copy shows the effect of committing a batch.
struct DeadLetterCounter: Sendable {
    /// Consecutive records in the order in which they were read.
    struct Run: Sendable, Equatable {
        var records: Int
        var rejected: Int
    }

    let limit: DeadLetterLimit
    /// The number of records that this worker has rejected during the run.
    private(set) var total: Int
    /// The number of records that other workers of the run have rejected.
    var rejectedElsewhere = 0
    /// The last `limit.of` records, and possibly a few more.
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
        // Equal records beyond the size of the window don't matter.
        let most = max(limit.of, 1)
        if run.records > most, run.rejected == 0 { run.records = most }
        if run.records > most, run.rejected >= run.records { run = Run(records: most, rejected: most) }
        // Merge runs without rejections.
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
                // It is unknown which records of a mixed run were rejected, so it can't be split.
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

    /// The part of the limit that is exceeded; nil if none is.
    var excess: DeadLetterLimit.Excess? {
        if total + rejectedElsewhere > limit.total { return .total(total + rejectedElsewhere) }
        let isFull = windowSum.records >= max(limit.of, 1)
        guard isFull, Double(windowSum.rejected) > limit.share * Double(windowSum.records) else { return nil }
        return .share(rejected: windowSum.rejected, of: windowSum.records)
    }

    /// Starts over after the cause of many rejections was repaired.
    mutating func reset() { self = DeadLetterCounter(limit: limit) }
}
