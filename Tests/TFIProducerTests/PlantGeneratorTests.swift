import Testing

@testable import TFIProducer

@Suite struct PlantGeneratorTests {
    private func messages(_ count: Int, seed: UInt64) -> [PlantMessage] {
        var generator = PlantGenerator(count: count, seed: seed)
        var messages: [PlantMessage] = []
        while let message = generator.next() { messages.append(message) }
        return messages
    }

    @Test func seedDeterminesEveryByte() {
        let first = messages(2000, seed: 7)
        #expect(first.map { json($0) } == messages(2000, seed: 7).map { json($0) })
        #expect(first != messages(2000, seed: 8))
        // A shorter day is a prefix of a longer one.
        #expect(Array(first.prefix(500)) == messages(500, seed: 7))
        #expect(messages(0, seed: 7).isEmpty)
    }

    /// The algorithm's published numbers for the seed 1234567.
    @Test func randomNumbersAreThePublishedOnes() {
        var random = SplitMix64(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        ]
        #expect((0..<3).map { _ in random.next() } == expected)
        #expect((0..<3).map { SplitMix64.value(seed: 1_234_567, at: $0) } == expected)
    }

    @Test(arguments: [1, 2, 3, 4, 99])
    func oneMessageInTwentyIsAConcern(seed: UInt64) {
        let all = messages(20_000, seed: seed)
        let concerns = all.count { $0.kind == .concern }
        #expect((900...1100).contains(concerns), "\(concerns) concerns")
        // This holds from the beginning.
        #expect((50...170).contains(all.prefix(2000).count { $0.kind == .concern }))
    }

    @Test func timeAdvancesWithinTheShifts() {
        var last = PlantTimestamp(microseconds: .min, fractionDigits: 1)
        var days: Set<Int64> = []
        for message in messages(50_000, seed: 3) {
            #expect(message.timestamp.microseconds > last.microseconds)
            last = message.timestamp
            let (day, time) = last.microseconds.quotientAndRemainder(dividingBy: PlantTimestamp.microsecondsPerDay)
            days.insert(day)
            #expect((8 * 3_600_000_000..<17 * 3_600_000_000).contains(time))
        }
        // Some thousand messages per day, and no day is skipped.
        #expect((6...12).contains(days.count))
        #expect((days.max() ?? 0) - (days.min() ?? 0) == Int64(days.count - 1))
    }

    @Test func unitsPassTheLineInOrderAndEndAtCollectionPoint40() {
        let line = AssemblyLine.standard
        let place = Dictionary(
            uniqueKeysWithValues: line.stations.enumerated().map { ($1.collectionPoint, $0) })
        var seen: [Int32: [Int]] = [:]
        var concerned: Set<Int32> = []
        for message in messages(20_000, seed: 5) {
            #expect(line.zones.contains(message.zone))
            guard let station = place[message.collectionPoint] else {
                Issue.record("collection point \(message.collectionPoint) is not on the line")
                continue
            }
            switch message.kind {
            case .passage:
                #expect(line.stations[station].zone == message.zone)
                seen[message.unit, default: []].append(station)
            case .concern:
                #expect(seen[message.unit]?.last == station)
                #expect(line.stations[station].isInspection)
                #expect(message.concern / 4 == message.zone)
                concerned.insert(message.unit)
            }
        }
        for stations in seen.values {
            #expect(stations == Array((stations.first ?? 0)..<(stations.first ?? 0) + stations.count))
        }
        #expect(line.stations.last?.collectionPoint == 40)
        let started = seen.values.filter { $0.first == 0 }
        let ended = started.filter { $0.last == line.stations.count - 1 }
        #expect(ended.count > 300)
        // All units reach the end, except those still on the line and the few that were taken off.
        #expect(started.count - ended.count < line.stations.count + started.count / 20)
        let faultless = seen.keys.filter { !concerned.contains($0) }.count
        #expect((seen.count * 4 / 10...seen.count * 7 / 10).contains(faultless))
    }
}
