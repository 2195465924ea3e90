/// Which rows to send next while a COPY is split around the rows that the database refuses.
///
/// If the server names the row that it fails at, the rows before it are sent next, and then those behind it: each row
/// is sent about twice. Otherwise the part is halved until the row is alone. Holds only the rules: the caller sends the
/// rows and says what came of it.
struct RowSearch {
    /// How many rows are sent together at first, and after a refused one. Large enough that the round trips don't
    /// matter, small enough that what is sent in vain doesn't.
    static let initialSegment = 512

    private let count: Int
    /// The first row whose outcome isn't known.
    private var from = 0
    private var segment: Int
    /// A row that the server named. The rows before it come first.
    private var suspect: Int?
    /// The end of a part that has a refused row in it.
    private var failedEnd: Int?
    /// How many rows can be sent at most within the server's time limit.
    private(set) var maximum: Int
    /// How many rows the database took.
    private(set) var passed = 0

    /// - Parameter maximum: How many rows may be sent together at most.
    init(count: Int, maximum: Int = .max) {
        self.count = count
        self.maximum = max(maximum, 1)
        segment = Self.initialSegment
    }

    /// The rows to send next; nil if the outcome of all is known.
    var next: Range<Int>? {
        guard from < count else { return nil }
        let wanted =
            if let suspect { suspect - from } else if let failedEnd { max(1, (failedEnd - from) / 2) } else { segment }
        return from..<from + min(wanted, maximum, count - from)
    }

    /// The rows of `next` were taken.
    ///
    /// - Returns: The row behind them, if the server named it before: it is refused, and not sent again.
    mutating func succeeded() -> Int? {
        guard let rows = next else { return nil }
        passed += rows.count
        from = rows.upperBound
        if from == suspect { return refuse(from, after: rows.count) }
        if suspect != nil { return nil }
        if let end = failedEnd {
            // All parts have passed alone, so it was none of these rows.
            if from >= end { failedEnd = nil }
        } else {
            segment = segment > count ? segment : segment * 2
        }
        return nil
    }

    /// The rows of `next` were refused.
    ///
    /// - Parameter line: The row that the server names, counted from 1 within `next`; nil if it names none.
    /// - Returns: The row that is refused, if that is known now.
    mutating func failed(line: Int?) -> Int? {
        guard let rows = next else { return nil }
        suspect = nil
        if let line, line >= 1, line <= rows.count {
            failedEnd = nil
            let row = rows.lowerBound + line - 1
            if row == from { return refuse(row, after: 0) }
            suspect = row
            return nil
        }
        if rows.count == 1 { return refuse(from, after: 0) }
        failedEnd = rows.upperBound
        return nil
    }

    /// The rows of `next` took longer than the server's time limit.
    ///
    /// - Returns: Whether fewer of them can be sent.
    mutating func timedOut() -> Bool {
        guard let rows = next, rows.count > 1 else { return false }
        maximum = rows.count / 2
        return true
    }

    private mutating func refuse(_ row: Int, after distance: Int) -> Int {
        from = row + 1
        suspect = nil
        failedEnd = nil
        segment = max(Self.initialSegment, min(distance, count) * 2)
        return row
    }
}
