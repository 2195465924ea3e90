/// The faults of a run, one for each second. The same seed gives the same faults.
///
/// A fault takes time: a broker needs seconds until it serves again. The plan assigns each fault a nominal time during
/// which its target is busy, and chooses the next fault among those with a free target.
struct FaultPlan: Sequence, IteratorProtocol, Sendable {
    /// A kind of fault, with its weight.
    private struct Kind: Sendable {
        let weight: Int
        let target: Fault.Target?
        /// Creates a fault, with the nominal time during which its target is busy.
        let make: @Sendable (inout SeededRandom) -> (fault: Fault, time: Duration)
    }

    private static let brokers = 1...3

    private var random: SeededRandom
    private var second = 0
    private let count: Int
    private let processes: ClosedRange<Int>
    private let topics: ClosedRange<Int>
    /// The nominal time at which each target becomes free.
    private var busyUntil: [Fault.Target: Duration] = [:]

    /// - Parameters:
    ///   - seed: The seed of the faults.
    ///   - seconds: The number of faults.
    ///   - processes: The number of consumer processes.
    ///   - topics: The number of topics.
    init(seed: UInt64, seconds: Int, processes: Int, topics: Int) {
        random = SeededRandom(seed: seed)
        count = seconds
        self.processes = 1...Swift.max(1, processes)
        self.topics = 1...Swift.max(1, topics)
    }

    mutating func next() -> Fault? {
        guard second < count else { return nil }
        second += 1
        let now = Duration.seconds(second)
        let index = Int.random(in: processes, using: &random)
        // Connections can always be cut.
        let possible = kinds(index).filter { kind in kind.target.map { busyUntil[$0] ?? .zero <= now } ?? true }
        var place = Int.random(in: 0..<possible.reduce(0) { $0 + $1.weight }, using: &random)
        for kind in possible {
            place -= kind.weight
            guard place < 0 else { continue }
            let (fault, time) = kind.make(&random)
            if let target = kind.target { busyUntil[target] = now + time }
            return fault
        }
        return nil
    }

    private func kinds(_ index: Int) -> [Kind] {
        let topics = topics
        return [
            Kind(weight: 14, target: .process(index)) { random in
                let pause = random.duration(0...1_500)
                return (.killProcess(index, pause: pause), pause + .seconds(2))
            },
            Kind(weight: 10, target: .process(index)) { random in
                // Sometimes longer than a group's session timeout.
                let isLong = Int.random(in: 0..<5, using: &random) == 0
                let time = random.duration(isLong ? 7_000...11_000 : 200...2_500)
                return (.suspendProcess(index, for: time), time + .seconds(1))
            },
            Kind(weight: 12, target: .process(index)) { random in
                let pause = random.duration(0...1_000)
                return (.restartProcess(index, pause: pause), pause + .seconds(3))
            },
            Kind(weight: 14, target: nil) { _ in (.cutDatabase, .zero) },
            Kind(weight: 16, target: nil) { random in
                (.cutBroker(Int.random(in: Self.brokers, using: &random)), .zero)
            },
            Kind(weight: 12, target: .database) { random in
                let stop = Fault.DatabaseStop.allCases.randomElement(using: &random) ?? .fast
                let pause = random.duration(0...1_000)
                return (.restartDatabase(stop, pause: pause), pause + .seconds(6))
            },
            // One broker at a time: with two of three down, nothing can be written.
            Kind(weight: 5, target: .brokers) { random in
                let pause = random.duration(0...3_000)
                return (.killBroker(Int.random(in: Self.brokers, using: &random), pause: pause), pause + .seconds(20))
            },
            Kind(weight: 5, target: .brokers) { random in
                let pause = random.duration(0...2_000)
                return (
                    .restartBroker(Int.random(in: Self.brokers, using: &random), pause: pause), pause + .seconds(20)
                )
            },
            Kind(weight: 8, target: .brokers) { random in
                (.moveLeaders(topic: Int.random(in: topics, using: &random)), .seconds(8))
            },
        ]
    }
}

/// SplitMix64, which is small and gives the same numbers on every machine.
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// A pseudorandom number derived from this one.
    static func mix(_ number: UInt64) -> UInt64 {
        var mixed = number
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A random time, within a range in milliseconds.
    mutating func duration(_ milliseconds: ClosedRange<Int>) -> Duration {
        .milliseconds(Int.random(in: milliseconds, using: &self))
    }
}
