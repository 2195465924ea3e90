/// How often values were how large.
public struct Histogram: Sendable, Equatable {
    /// The upper bounds of the buckets, ascending. Values above the last one are counted in `count` alone.
    public let bounds: [Double]
    /// For each bound, how many values are at most as large as it, and larger than the one before.
    public private(set) var counts: [Int]
    public private(set) var count = 0
    public private(set) var sum = 0.0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count)
    }

    /// Counts a value several times.
    public mutating func observe(_ value: Double, times: Int = 1) {
        if let index = bounds.firstIndex(where: { value <= $0 }) { counts[index] += times }
        count += times
        sum += value * Double(times)
    }
}
