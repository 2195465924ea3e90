/// Decides which rows to send next, while a COPY is split around the rows that the database refuses.
///
/// If the server names the failing row, the rows before it are sent next, and then those after it, so each row is sent
/// about twice. Otherwise the part is halved until one row is left. This type only decides: the caller sends the rows
/// and reports the result.
struct RowSearch {
    /// The number of rows sent together at first, and after a refused row. Large enough to make round trips
    /// negligible, small enough to make repeated sends negligible.
    static let initialSegment = 512

    private let count: Int
    /// The first row with an unknown outcome.
    private var from = 0
    private var segment: Int
    /// A row that the server named. The rows before it are sent first.
    private var suspect: Int?
    /// The end of a part that contains a refused row.
    private var failedEnd: Int?
    /// The most rows that can be sent within the server's time limit.
    private(set) var maximum: Int
    /// The number of rows that the database accepted.
    private(set) var passed = 0

    /// - Parameter maximum: The most rows to send together.
    init(count: Int, maximum: Int = .max) {
        self.count = count
        self.maximum = max(maximum, 1)
        segment = Self.initialSegment
    }

    /// The rows to send next; nil if all outcomes are known.
    var next: Range<Int>? {
        guard from < count else { return nil }
        let wanted =
            if let suspect { suspect - from } else if let failedEnd { max(1, (failedEnd - from) / 2) } else { segment }
        return from..<from + min(wanted, maximum, count - from)
    }

    /// Reports that the database accepted the rows of `next`.
    ///
    /// - Returns: The following row if the server named it before. It is refused and not sent again. nil otherwise.
    mutating func succeeded() -> Int? {
        guard let rows = next else { return nil }
        passed += rows.count
        from = rows.upperBound
        if from == suspect { return refuse(from, after: rows.count) }
        if suspect != nil { return nil }
        if let end = failedEnd {
            // All parts have passed, so the cause was none of these rows.
            if from >= end { failedEnd = nil }
        } else {
            segment = segment > count ? segment : segment * 2
        }
        return nil
    }

    /// Reports that the database refused the rows of `next`.
    ///
    /// - Parameter line: The row that the server named, from 1 within `next`; nil if it named none.
    /// - Returns: The refused row; nil if it isn't known yet.
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

    /// Reports that the rows of `next` exceeded the server's time limit.
    ///
    /// - Returns: Whether fewer rows can be sent.
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
