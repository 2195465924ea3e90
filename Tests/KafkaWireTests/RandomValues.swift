import KafkaWire

/// A type with random values. Fields that the version doesn't have are at their defaults.
protocol RandomValue {
    init(_ random: inout RandomValues, version: Int16)
}

/// A random number generator that is deterministic for a seed (SplitMix64).
struct RandomValues: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    mutating func value<Value: RandomValue>(_ version: Int16) -> Value {
        Value(&self, version: version)
    }

    /// A random value; nil only if the version allows null.
    mutating func value<Value: RandomValue>(_ version: Int16, orNil isNullable: Bool) -> Value? {
        isNullable && chance(of: 4) ? nil : Value(&self, version: version)
    }

    mutating func chance(of outcomes: UInt64) -> Bool { next() % outcomes == 0 }

    mutating func bytes() -> [UInt8] {
        (0..<Int(next() % 40)).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// Random characters of one, two, three and four bytes.
    mutating func text() -> String {
        String((0...Int(next() % 8)).map { _ in "aZ-.é€😀".randomElement(using: &self) ?? "a" })
    }
}

extension RandomValue where Self: FixedWidthInteger {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(truncatingIfNeeded: random.next())
    }
}

extension Int8: RandomValue {}
extension Int16: RandomValue {}
extension Int32: RandomValue {}
extension Int64: RandomValue {}

extension Bool: RandomValue {
    init(_ random: inout RandomValues, version: Int16) { self = random.chance(of: 2) }
}

extension String: RandomValue {
    init(_ random: inout RandomValues, version: Int16) { self = random.text() }
}

extension KafkaUUID: RandomValue {
    init(_ random: inout RandomValues, version: Int16) { self.init(high: random.next(), low: random.next()) }
}

extension ByteSlice: RandomValue {
    init(_ random: inout RandomValues, version: Int16) { self.init(random.bytes()) }
}

extension Optional: RandomValue where Wrapped: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self = random.chance(of: 4) ? .none : .some(Wrapped(&random, version: version))
    }
}

extension Array: RandomValue where Element: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self = (0..<Int(random.next() % 3)).map { _ in Element(&random, version: version) }
    }
}
