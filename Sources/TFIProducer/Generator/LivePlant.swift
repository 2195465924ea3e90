import Foundation

/// A synthetic plant in real time: its messages carry the current time, and never end.
///
/// There are three shifts of eight hours, beginning at 06:00, 14:00 and 22:00. In the breaks and the last minutes of a
/// shift the plant sends one message instead of ten, which shows that it rests and that the program still runs.
struct LivePlant: MessageSource {
    let count: Int? = nil
    private var plant: PlantGenerator
    private let seed: UInt64
    private let interval: Duration
    private let zone: TimeZone
    private let now: @Sendable () -> Date
    /// An offset for the numbers of units.
    private var firstNumber: Int32
    private(set) var spacing = 1

    /// The number of units for which a plant has numbers.
    private static let mostUnits = 200_000_000
    /// A lower bound for the average number of messages per unit: the line has more stations.
    private static let messagesPerUnit = 20.0
    /// The start of each pause in seconds after the start of the shift, and its length in seconds.
    private static let pauses = [
        (from: 7_200, length: 900), (from: 14_400, length: 1_800), (from: 21_600, length: 900),
        (from: 28_500, length: 300),
    ]

    /// - Parameter interval: The time between messages, outside of breaks.
    init(
        seed: UInt64, interval: Duration, zone: TimeZone = .current, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.seed = seed
        self.interval = interval
        self.zone = zone
        self.now = now
        plant = PlantGenerator(count: PlantGenerator.mostRecords, seed: seed)
        firstNumber = Self.firstNumber(at: now(), interval: interval)
    }

    /// The first unit number, so that a restarted plant uses other numbers than before: it advances by as many as units
    /// can have been made since then.
    private static func firstNumber(at time: Date, interval: Duration) -> Int32 {
        let unitsPerSecond = max(1, (1 / (interval / .seconds(1)) / messagesPerUnit).rounded(.up))
        let passed = (time.timeIntervalSince1970 * unitsPerSecond).rounded(.down)
        return Int32(passed.truncatingRemainder(dividingBy: Double(mostUnits / 2)).magnitude)
    }

    mutating func next() -> PlantMessage? {
        // The message is sent after the pause that precedes it.
        let time = now().addingTimeInterval(interval / .seconds(1))
        var message = plant.next()
        if message == nil {
            plant = PlantGenerator(count: PlantGenerator.mostRecords, seed: seed)
            firstNumber = Self.firstNumber(at: time, interval: interval)
            message = plant.next()
        }
        let local = time.timeIntervalSince1970 + Double(zone.secondsFromGMT(for: time))
        message?.timestamp = PlantTimestamp(
            microseconds: Int64((local * 10).rounded(.down)) * 100_000, fractionDigits: 1)
        message?.unit &+= firstNumber &* 10
        let ofShift = (Int(local.rounded(.down)) + 2 * 3_600) % (8 * 3_600)
        spacing = Self.pauses.contains { $0.from <= ofShift && ofShift < $0.from + $0.length } ? 10 : 1
        return message
    }
}
