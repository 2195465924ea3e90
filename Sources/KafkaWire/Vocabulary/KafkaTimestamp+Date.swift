import Foundation

extension KafkaTimestamp {
    /// Converts a date. Fractions of a millisecond are dropped, and dates before 1970 become ``unknown``.
    public init(_ date: Date) {
        let milliseconds = (date.timeIntervalSince1970 * 1000).rounded(.down)
        // A date can be any Double, also infinite or not a number.
        let known = Int64(exactly: milliseconds) ?? (milliseconds > 0 ? .max : -1)
        self.init(millisecondsSince1970: max(known, -1))
    }

    /// The timestamp as a date; nil if it is unknown.
    public var date: Date? { isKnown ? Date(timeIntervalSince1970: Double(millisecondsSince1970) / 1000) : nil }
}
