import Concurrency
import Foundation
import Testing

@testable import TFIProducer

@Suite struct LivePlantTests {
    /// A clock that the test advances.
    private final class PlantClock: Sendable {
        private let seconds: Lock<Double>
        init(_ text: String) throws {
            let date = try #require(try? Date("\(text)Z", strategy: .iso8601))
            seconds = Lock(date.timeIntervalSince1970)
        }
        var now: Date { Date(timeIntervalSince1970: seconds.withLock { $0 }) }
        func advance(_ by: Double) { seconds.withLock { $0 += by } }
    }

    private func plant(_ clock: PlantClock, every seconds: Double = 1, zone: Int = 0) throws -> LivePlant {
        LivePlant(
            seed: 1, interval: .seconds(seconds), zone: try #require(TimeZone(secondsFromGMT: zone)),
            now: { clock.now })
    }

    @Test func messagesHaveTheirSendingTime() throws {
        let clock = try PlantClock("2026-11-30T10:30:00")
        var plant = try self.plant(clock, every: 2, zone: 3_600)
        let next = plant.next()
        let message = try #require(next)
        #expect(json(message).contains("\"2026-11-30 11:30:02.0\""))
        #expect(plant.count == nil)
    }

    /// A produced unit counts only on the day on which it was first produced.
    @Test(arguments: [0.2, 1, 40, 500]) func restartedPlantMakesOtherUnits(_ rate: Double) throws {
        let clock = try PlantClock("2026-11-30T10:30:00")
        func units(_ count: Int) throws -> Set<Int32> {
            var plant = try self.plant(clock, every: 1 / rate)
            return Set((0..<count).compactMap { _ in plant.next()?.unit })
        }
        // The line was full before: these units existed before the restart.
        let line = Double(AssemblyLine.standard.stations.count)
        let seconds = max(100, 2 * line)
        let first = try units(Int(seconds * rate))
        clock.advance(seconds)
        let second = try units(Int(seconds * rate))
        #expect(first.isDisjoint(with: second))
        #expect(second.allSatisfy { $0 > 0 })
    }

    @Test(arguments: [
        ("06:30", 1), ("08:00", 10), ("08:14", 10), ("08:15", 1), ("10:10", 10), ("10:30", 1), ("13:56", 10),
        ("14:00", 1),
        ("16:05", 10), ("22:30", 1), ("02:10", 10), ("05:58", 10),
    ]) func breaksHaveFewMessages(_ time: String, _ spacing: Int) throws {
        var plant = try self.plant(try PlantClock("2026-11-30T\(time):00"))
        _ = plant.next()
        #expect(plant.spacing == spacing)
    }
}
