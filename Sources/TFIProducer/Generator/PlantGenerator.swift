/// Generates a given number of a plant's messages in order of time.
///
/// All units move at once from station to station, from 08:00 to 17:00 with a break at noon, day after day. The line is
/// full when the first day begins. Inspections find something wrong with about half of the units (one message in
/// twenty), and a few of these are taken off the line. The others end at collection point 40.
///
/// All facts about a unit are computed from the seed and the unit's number, so memory does not grow.
struct PlantGenerator: MessageSource {
    /// Tenths of a second since midnight.
    private enum Time {
        static let second: Int64 = 10
        static let hour: Int64 = 36_000
        static let shiftBegin = 8 * hour
        static let shiftEnd = 17 * hour
        static let breakBegin = 12 * hour
        static let breakEnd = 12 * hour + hour / 2
        static let microseconds: Int64 = 100_000
    }

    /// Unit numbers begin here and increase in steps of ten, like the plant's.
    private static let firstUnit = 71_204_310
    /// 2024-01-08.
    private static let firstDay = PlantTimestamp.dayNumber(year: 2024, month: 1, day: 8)
    /// The largest number of messages for which unit numbers and years stay in range.
    static let mostRecords = 1_000_000_000

    private let most: Int
    var count: Int? { most }
    private let seed: UInt64
    private let line = AssemblyLine.standard
    private var random: SplitMix64
    private var made = 0
    private var day = firstDay
    private var time = Time.shiftBegin
    /// How many times the line has moved.
    private var move = 0
    /// The station whose unit comes next, from the last one of the line to the first.
    private var station: Int
    /// The number of concerns still to send about the unit that passed last.
    private var concernsLeft = 0
    private var passed: (unit: Int32, station: Int) = (0, 0)

    /// - Parameters:
    ///   - count: The number of messages, at most `mostRecords`.
    ///   - seed: The same seed generates the same messages.
    init(count: Int, seed: UInt64) {
        most = min(count, Self.mostRecords)
        self.seed = seed
        random = SplitMix64(seed: seed)
        station = line.stations.count - 1
    }

    mutating func next() -> PlantMessage? {
        guard made < most else { return nil }
        made += 1
        if concernsLeft > 0 { return concern() }
        while true {
            let station = station
            // The unit at the end of the line is the oldest one on it.
            let number = move + line.stations.count - 1 - station
            advanceStation()
            let fate = Fate(seed: seed, number: number, line: line)
            if station <= fate.lastStation { return passage(of: number, fate: fate, at: station) }
        }
    }

    private mutating func advanceStation() {
        station -= 1
        if station < 0 {
            station = line.stations.count - 1
            move += 1
        }
    }

    private mutating func passage(of number: Int, fate: Fate, at station: Int) -> PlantMessage {
        advanceTime(random.between(2 * Int(Time.second), 8 * Int(Time.second)))
        let place = line.stations[station]
        passed = (Int32(truncatingIfNeeded: Self.firstUnit + 10 * number), station)
        if fate.isTroublesome, place.isInspection, random.happens(265) {
            // Usually one, sometimes two or three.
            concernsLeft = max(1, random.between(-2, 3))
        }
        return PlantMessage(
            kind: .passage, unit: passed.unit, timestamp: timestamp, collectionPoint: place.collectionPoint,
            zone: place.zone)
    }

    private mutating func concern() -> PlantMessage {
        concernsLeft -= 1
        advanceTime(random.between(3, 4 * Int(Time.second)))
        let place = line.stations[passed.station]
        // Charge the zone where the concern was found, or one that the unit passed before.
        let zone =
            random.happens(400) ? place.zone : line.zones[random.between(0, line.zonesSeen[passed.station] - 1)]
        return PlantMessage(
            kind: .concern, unit: passed.unit, timestamp: timestamp, collectionPoint: place.collectionPoint,
            zone: zone, concern: zone * 4 + Int32(random.between(0, 3)))
    }

    private var timestamp: PlantTimestamp {
        PlantTimestamp(
            microseconds: day * PlantTimestamp.microsecondsPerDay + time * Time.microseconds, fractionDigits: 1)
    }

    private mutating func advanceTime(_ tenths: Int) {
        time += Int64(tenths)
        if time >= Time.breakBegin, time < Time.breakEnd { time += Time.breakEnd - Time.breakBegin }
        if time >= Time.shiftEnd {
            day += 1
            time = Time.shiftBegin + Int64(random.between(0, 99))
        }
    }
}

/// A unit's fate, determined by the seed and its number.
private struct Fate {
    let isTroublesome: Bool
    /// The last station that the unit passes: the end of the line, or an inspection that it fails.
    let lastStation: Int

    init(seed: UInt64, number: Int, line: AssemblyLine) {
        // Bits that the generator's own sequence does not use.
        let bits = SplitMix64.value(seed: ~seed, at: number)
        isTroublesome = bits & 1 == 1
        guard isTroublesome, (bits >> 1) % 1000 < 40 else {
            lastStation = line.stations.count - 1
            return
        }
        lastStation = line.inspections[Int((bits >> 20) % UInt64(line.inspections.count))]
    }
}
