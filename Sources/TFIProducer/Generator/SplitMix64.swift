/// A random number generator that depends only on the seed: it gives the same numbers on every machine and in every
/// version.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct SplitMix64: Sendable {
    private var state: UInt64
    private static let increment: UInt64 = 0x9e37_79b9_7f4a_7c15

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= Self.increment
        return Self.mixed(state)
    }

    /// A number from `low` to `high`, both inclusive.
    mutating func between(_ low: Int, _ high: Int) -> Int {
        low + Int((next() >> 32 &* UInt64(high - low + 1)) >> 32)
    }

    /// Whether an event occurs whose probability is given per thousand.
    mutating func happens(_ perThousand: Int) -> Bool { between(0, 999) < perThousand }

    /// The number at an index of the sequence, without computing those before it.
    static func value(seed: UInt64, at index: Int) -> UInt64 {
        mixed(seed &+ increment &* (UInt64(bitPattern: Int64(index)) &+ 1))
    }

    private static func mixed(_ state: UInt64) -> UInt64 {
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
