import KafkaWire
import Testing

@testable import KafkaWireTool

@Suite("When -C has read enough")
struct ReadingTests {
    private let first = TopicPartition(topic: "t", partition: 0)
    private let second = TopicPartition(topic: "t", partition: 1)

    private func printed(_ count: Int, next: Int64, isAtEnd: Bool = false) -> RecordPrinter.Printed {
        RecordPrinter.Printed(count: count, nextOffset: next, isAtEnd: isAtEnd)
    }

    @Test func atTheEndsOfAllPartitions() {
        var reading = Reading(
            range: [first: .init(begin: 0, end: 5), second: .init(begin: 3, end: 3)], exitsAtEnd: true, limit: .max)
        reading.reportEmpty()
        #expect(!reading.isOver)
        #expect(reading.places[first]?.printsBefore == 5)
        let over1 = reading.take(printed(3, next: 3), of: first)
        #expect(!over1)
        let over2 = reading.take(printed(2, next: 5), of: first)
        #expect(over2)
        #expect(reading.isOver)
    }

    @Test func nothingToRead() {
        var reading = Reading(range: [first: .init(begin: 7, end: 7)], exitsAtEnd: true, limit: .max)
        reading.reportEmpty()
        #expect(reading.isOver)
    }

    @Test func anEndBehindAnOpenTransaction() {
        var reading = Reading(range: [first: .init(begin: 0, end: 5)], exitsAtEnd: true, limit: .max)
        _ = reading.take(printed(2, next: 2), of: first)
        reading.caughtUp(first, at: 2)
        #expect(reading.isOver)
    }

    @Test func withoutEReadingContinues() {
        var reading = Reading(range: [first: .init(begin: 0, end: 5)], exitsAtEnd: false, limit: .max)
        #expect(reading.places[first]?.printsBefore == nil)
        let over3 = reading.take(printed(5, next: 5), of: first)
        #expect(!over3)
        reading.caughtUp(first, at: 5)
        #expect(!reading.isOver)
    }

    @Test func byCount() {
        var reading = Reading(range: [first: .init(begin: 0, end: 50)], exitsAtEnd: false, limit: 4)
        _ = reading.take(printed(3, next: 3), of: first)
        #expect(!reading.isOver)
        _ = reading.take(printed(1, next: 4), of: first)
        #expect(reading.isOver)
    }

    @Test func byTime() {
        var reading = Reading(
            range: [first: .init(begin: 0, end: 5), second: .init(begin: 0, end: 5)], exitsAtEnd: false, limit: .max)
        let over4 = reading.take(printed(2, next: 2, isAtEnd: true), of: first)
        #expect(over4)
        #expect(!reading.isOver)
        let over5 = reading.take(printed(0, next: 0, isAtEnd: true), of: second)
        #expect(over5)
        #expect(reading.isOver)
    }
}
