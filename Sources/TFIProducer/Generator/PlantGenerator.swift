/// Makes up the messages of a plant, as many as are wanted, in the order of their times.
///
/// The line moves from station to station, all units at once, from 08:00 to 17:00 with a break at noon, day after
/// day. It is full when the first day begins. About half of the units are found something wrong with at inspections,
/// one message in twenty, and a few of these are taken off the line; the others end at collection point 40.
///
/// What it needs to know of a unit it computes from the seed and the unit's number, so that its memory doesn't grow.
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

    /// Identifiers count up from here in steps of ten, as the plant's do.
    private static let firstUnit = 71_204_310
    /// 2024-01-08.
    private static let firstDay = PlantTimestamp.dayNumber(year: 2024, month: 1, day: 8)
    /// The last number of messages for which units and years keep to their ranges.
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
    /// The station whose unit comes next; the last one of the line goes first.
    private var station: Int
    /// Concerns still to be told about the unit that passed last.
    private var concernsLeft = 0
    private var passed: (unit: Int32, station: Int) = (0, 0)

    /// - Parameters:
    ///   - count: How many messages, at most `mostRecords`.
    ///   - seed: The same gives the same messages.
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
            // The unit at the line's end is the first of those on it.
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
            // One most often, two or three now and then.
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
        // The zone where it shows is charged, or one that the unit went through before.
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

/// What becomes of a unit: from the seed and its number alone.
private struct Fate {
    let isTroublesome: Bool
    /// Where it was seen last: the end of the line, or an inspection that it didn't pass.
    let lastStation: Int

    init(seed: UInt64, number: Int, line: AssemblyLine) {
        // Bits that the generator's own sequence doesn't use.
        let bits = SplitMix64.value(seed: ~seed, at: number)
        isTroublesome = bits & 1 == 1
        guard isTroublesome, (bits >> 1) % 1000 < 40 else {
            lastStation = line.stations.count - 1
            return
        }
        lastStation = line.inspections[Int((bits >> 20) % UInt64(line.inspections.count))]
    }
}
