/// Counts of values by size.
public struct Histogram: Sendable, Equatable {
    /// The upper bounds of the buckets, ascending. Larger values are only in `count` and `sum`.
    public let bounds: [Double]
    /// The number of values per bucket: at most its bound and above the previous bound.
    public private(set) var counts: [Int]
    public private(set) var count = 0
    public private(set) var sum = 0.0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count)
    }

    /// Counts a value one or more times.
    public mutating func observe(_ value: Double, times: Int = 1) {
        if let index = bounds.firstIndex(where: { value <= $0 }) { counts[index] += times }
        count += times
        sum += value * Double(times)
    }
}
