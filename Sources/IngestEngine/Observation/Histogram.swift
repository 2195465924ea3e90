/// How often values were how large.
package struct Histogram: Sendable, Equatable {
    /// The upper bounds of the buckets, ascending. Values above the last one are counted in `count` alone.
    package let bounds: [Double]
    /// For each bound, how many values are at most as large as it, and larger than the one before.
    package private(set) var counts: [Int]
    package private(set) var count = 0
    package private(set) var sum = 0.0

    package init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count)
    }

    /// Counts a value several times.
    package mutating func observe(_ value: Double, times: Int = 1) {
        if let index = bounds.firstIndex(where: { value <= $0 }) { counts[index] += times }
        count += times
        sum += value * Double(times)
    }
}
