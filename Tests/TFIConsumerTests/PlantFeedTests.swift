import CommandLineSupport
import Concurrency
import Foundation
import HTTPServer
import IngestEngine
import KafkaWire
import TestSupport
import Testing

@testable import TFIConsumer

/// The live page's events, sent over real connections, with answers that the test provides.
@Suite(.timeLimit(.minutes(1)))
struct PlantFeedTests {
    /// The contents of the database.
    private final class Rows: Sendable {
        /// The days that were queried; "" is the newest one.
        let asked = Lock<[String]>([])
        let answer = Lock<@Sendable (String?) throws -> DayQuery.Answer>({ day in
            DayQuery.Answer(day: day ?? "2024-03-12", days: "[\"2024-03-12\"]", tiles: "{\"total\" : 7}")
        })
        /// The number of seconds that have passed.
        let ticks = Lock(0)

        func ask(_ day: String?) throws -> DayQuery.Answer {
            asked.withLock { $0.append(day ?? "") }
            return try answer.withLock { $0 }(day)
        }
    }

    /// A feed whose seconds are short.
    private final class Fixture: Sendable {
        let feed: PlantFeed
        let server: HTTPServer
        let rows = Rows()
        private let running = Lock<Task<Void, Never>?>(nil)

        init() throws {
            let zone = try #require(TimeZone(secondsFromGMT: 0))
            let rows = rows
            let feed = PlantFeed(
                monitor: RunMonitor(observer: IngestObserver(log: .none), version: "1.2.3"), group: "g", zone: zone,
                wallTime: { Date(timeIntervalSince1970: 1_710_252_000) },
                sleep: { duration in
                    try await Task.sleep(for: duration / 500)
                    rows.ticks.withLock { $0 += 1 }
                })
            self.feed = feed
            server = try HTTPServer(at: ListenAddress(port: 0)) { request in
                LivePage(feed, version: "1.2.3").answer(request) ?? HTTPResponse(.notFound, "nothing\n")
            }
            let task = Task {
                await feed.run { day, _ in
                    try rows.ask(day)
                } lag: { _ in
                    5
                }
            }
            running.withLock { $0 = task }
        }

        func end() async {
            running.withLock { $0 }?.cancel()
            await running.withLock { $0 }?.value
            await server.stop()
        }

        func read(_ target: String, until: @escaping @Sendable (String) -> Bool) async throws -> String {
            try await RawClient.exchange(
                server.address.port, "GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n", until: until)
        }
    }

    @Test func queriesNothingWithoutAViewer() async throws {
        let fixture = try Fixture()
        try await eventually("time passes") { fixture.rows.ticks.withLock { $0 } >= 20 }
        #expect(fixture.rows.asked.withLock { $0 } == [])
        let picture = try await fixture.read("/events") { $0.contains(/data: \{"now".*\n/) }
        #expect(
            picture.contains(
                "data: {\"now\":\"2024-03-12T14:00:00\",\"version\":\"1.2.3\",\"replayed\":false,\"day\":\"2024-03-12\","
                    + "\"days\":[\"2024-03-12\"],\"tiles\":{\"total\" : 7},\"data\":{\"last_message\":null,\"lag\":5,"
                    + "\"rows_per_second\":null,\"dead_letters\":null,\"waits\":[\"the run has not begun\"]}}\n\n"))
        // The server notices that the viewer has gone when it next writes to it.
        try await eventually("no viewer is left") { fixture.feed.stream(for: nil)?.clientCount == 0 }
        let count = fixture.rows.asked.withLock { $0.count }
        let ticks = fixture.rows.ticks.withLock { $0 }
        try await eventually("time passes") { fixture.rows.ticks.withLock { $0 } >= ticks + 20 }
        #expect(fixture.rows.asked.withLock { $0.count } <= count + 1)
        await fixture.end()
    }

    @Test func viewersShareOneQuery() async throws {
        let fixture = try Fixture()
        let before = fixture.rows.ticks.withLock { $0 }
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<200 {
                group.addTask { try await fixture.read("/events") { $0.split(separator: "event: beat").count > 3 } }
            }
            for try await text in group { #expect(text.contains("data: {\"now\"")) }
        }
        let passed = fixture.rows.ticks.withLock { $0 } - before
        #expect(fixture.rows.asked.withLock { $0.count } <= passed)
        await fixture.end()
    }

    /// An unchanged picture is not sent each second, but from time to time to update its clock.
    @Test func sendsUnchangedPicturesRarely() async throws {
        let fixture = try Fixture()
        let text = try await fixture.read("/events") { $0.split(separator: "event: beat").count > 10 }
        #expect((2...6).contains(text.split(separator: "data: {\"now\"").count - 1), "\(text)")
        await fixture.end()
    }

    @Test func chosenDayDoesNotStarveTheNewestOne() async throws {
        let fixture = try Fixture()
        let targets = ["/events", "/events?day=2024-03-01", "/events?day=2024-03-02"]
        try await withThrowingTaskGroup(of: String.self) { group in
            for target in targets {
                group.addTask { try await fixture.read(target) { $0.split(separator: "event: beat").count > 12 } }
            }
            for try await text in group { #expect(text.contains("data: {\"now\"")) }
        }
        let asked = fixture.rows.asked.withLock { $0 }
        let newest = asked.count { $0.isEmpty }
        #expect(newest * 3 >= asked.count, "\(asked)")
        for day in ["2024-03-01", "2024-03-02"] { #expect(asked.count { $0 == day } * 8 >= asked.count, "\(asked)") }
        await fixture.end()
    }

    @Test func showsAFailureWithTheLastFigures() async throws {
        struct Away: Error, CustomStringConvertible { var description: String { "the database is away" } }
        let fixture = try Fixture()
        let text = try await fixture.read("/events") { [fixture] text in
            if text.contains("\"total\" : 7") { fixture.rows.answer.withLock { $0 = { _ in throw Away() } } }
            return text.contains(/the database is away".*\n/)
        }
        let last = try #require(
            text.replacing("\r\n", with: "\n").split(separator: "\n").last { $0.hasPrefix("data: {\"now\"") })
        #expect(last.contains("\"total\" : 7"))
        #expect(last.contains("\"waits\":[\"the figures are out of date: the database is away\""))
        await fixture.end()
    }

    @Test func onlyCalendarDaysHaveAStream() throws {
        let feed = PlantFeed(monitor: RunMonitor(observer: IngestObserver(log: .none)), group: "g")
        for day in ["2024-02-30", "today", "2024-1-1", "2024-01-01'", "", "0000-00-00", "2024-13-01", "２024-01-01"] {
            #expect(feed.stream(for: day) == nil, "\(day)")
        }
        #expect(feed.stream(for: "2024-02-29") === feed.stream(for: "2024-02-29"))
        // Days without viewers make room for others.
        for day in 1...28 {
            for month in 1...3 {
                #expect(feed.stream(for: "2023-0\(month)-\(day < 10 ? "0" : "")\(day)") != nil)
            }
        }
    }

    @Test func rateCoversTheLastSeconds() {
        var rate = PositionRate()
        let start = ContinuousClock.now
        rate.add(["a": 100], at: start)
        #expect(rate.perSecond == nil)
        rate.add(["a": 150, "b": 50], at: start + .seconds(1))
        #expect(rate.perSecond == 100)
        rate.add(["a": 1_000, "b": 200], at: start + .seconds(6))
        #expect(rate.perSecond == 200)
        // Set back by hand.
        rate.add(["a": 0, "b": 200], at: start + .seconds(7))
        #expect(rate.perSecond == nil)
        rate.add(["a": .max, "b": .max], at: start + .seconds(8))
        #expect(rate.perSecond != nil)
    }

    @Test func replayShowsTheTimeOfItsMessages() throws {
        let zone = try #require(TimeZone(secondsFromGMT: 7_200))
        let now = try #require(DayPicture.date("2024-03-12T16:00:00", zone))
        func line(_ last: String?, newest: String? = "2024-03-12") -> String {
            DayPicture(
                version: "1", answer: DayQuery.Answer(day: "2024-03-12", newestDay: newest, lastRow: last), now: now,
                zone: zone
            ).line().text
        }
        #expect(
            line("2024-03-12T15:59:58").contains(
                "{\"now\":\"2024-03-12T16:00:00\",\"version\":\"1\",\"replayed\":false"))
        #expect(line("2024-03-12T00:00:01").contains("\"replayed\":false"))
        #expect(
            line("2020-05-27T16:44:38").hasPrefix(
                "{\"now\":\"2020-05-27T16:44:38\",\"version\":\"1\",\"replayed\":true"))
        #expect(line("2024-03-12T18:00:00").contains("\"replayed\":true"))
        #expect(line("2020-05-27T16:44:38", newest: "2024-03-13").contains("\"replayed\":false"))
        #expect(line("2020-05-27T16:44:38", newest: nil).contains("\"replayed\":false"))
        #expect(line(nil).contains("\"replayed\":false"))
    }

    @Test(arguments: [
        (7_200, "2024-03-13T00:30:05+02:00"), (-12_600, "2024-03-12T19:00:05-03:30"), (0, "2024-03-12T22:30:05Z"),
    ])
    func lastMessageIsInThePlantsTimeZone(offset: Int, expected: String) throws {
        let answer = DayQuery.Answer(lastCommit: "2024-03-12T22:30:05Z")
        let zone = try #require(TimeZone(secondsFromGMT: offset))
        let text = DayPicture(version: "1", answer: answer, now: Date(timeIntervalSince1970: 0), zone: zone).line().text
        #expect(text.contains("\"last_message\":\"\(expected)\""))
    }
}
