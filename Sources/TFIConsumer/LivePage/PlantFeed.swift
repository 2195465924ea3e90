import CommandLineSupport
import Concurrency
import Foundation
import HTTPServer
import IngestEngine
import PGWire

/// The event streams of the live page: one stream of pictures for each day that has viewers.
///
/// All viewers together cost the database one set of queries per second. If several days have viewers, the newest one
/// gets every second query, and the others share the rest. Without viewers there are no queries.
final class PlantFeed: Sendable {
    private let monitor: RunMonitor
    private let group: String
    private let zone: TimeZone
    private let wallTime: @Sendable () -> Date
    private let sleep: @Sendable (Duration) async throws -> Void

    private struct Channel {
        let stream = EventStream()
        /// The last picture without its time of day.
        var content = ""
        var ticksSinceShown = 0
        /// The last answer, which is still shown while the database cannot be queried.
        var answer: DayQuery.Answer?
        var lastAsked = 0
    }

    private struct State {
        /// By day; "" is the newest one.
        var channels: [String: Channel] = ["": Channel()]
        var ticks = 0
    }

    private let state = Lock(State())

    private static let interval = Duration.seconds(1)
    private static let shortQuery = Duration.milliseconds(200)
    /// In intervals. A client considers a stream stalled if it is silent for three times this long.
    private static let beatInterval = 4
    /// In ticks. An unchanged picture is sent again after this many, to update its time of day.
    private static let refreshInterval = 10
    /// How many days can have streams at a time. Each one keeps a picture in memory.
    private static let mostDays = 32

    init(
        monitor: RunMonitor, group: String, zone: TimeZone = .current,
        wallTime: @escaping @Sendable () -> Date = { Date() },
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.monitor = monitor
        self.group = group
        self.zone = zone
        self.wallTime = wallTime
        self.sleep = sleep
    }

    /// The event stream for a viewer.
    ///
    /// - Parameter day: The day in the viewer's request; nil for the newest one.
    /// - Returns: Nil if it is not a day, or if too many other days have viewers.
    func stream(for day: String?) -> EventStream? {
        guard let day else { return state.withLock { $0.channels[""]?.stream } }
        guard let day = Self.day(day) else { return nil }
        return state.withLock { state in
            if let channel = state.channels[day] { return channel.stream }
            if state.channels.count > Self.mostDays {
                let unused = state.channels.first { $0.key != "" && $0.value.stream.clientCount == 0 }
                guard let unused else { return nil }
                state.channels[unused.key] = nil
            }
            let channel = Channel()
            state.channels[day] = channel
            return channel.stream
        }
    }

    /// The text if it is a calendar day of the form `yyyy-MM-dd`; otherwise nil.
    static func day(_ text: String) -> String? {
        guard text.utf8.count == 10, let utc = TimeZone(secondsFromGMT: 0),
            let date = DayPicture.date(text + "T00:00:00", utc), DayPicture.text(date, utc).prefix(10) == text
        else { return nil }
        return text
    }

    /// Whether any stream has a viewer.
    var isViewed: Bool { state.withLock { $0.channels.values.contains { $0.stream.clientCount > 0 } } }

    /// Sends pictures until the task is cancelled. Beats are also sent while a query takes long.
    ///
    /// - Parameters:
    ///   - ask: Queries the figures of a day; if it is nil, those of the newest day that is not later than the second
    ///     argument.
    ///   - lag: The number of records that are not in the database, by the group's offsets.
    func run(
        ask: @escaping @Sendable (String?, String) async throws -> DayQuery.Answer,
        lag: @escaping @Sendable (DayQuery.Answer) -> Int64?
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                while (try? await sleep(Self.interval * Self.beatInterval)) != nil { sendBeats() }
            }
            await showPictures(ask: ask, lag: lag)
            group.cancelAll()
        }
    }

    private func showPictures(
        ask: @Sendable (String?, String) async throws -> DayQuery.Answer, lag: @Sendable (DayQuery.Answer) -> Int64?
    ) async {
        var rate = PositionRate()
        var next = ContinuousClock.now
        while (try? await sleep(Self.interval)) != nil {
            guard .now >= next, let key = nextKey() else { continue }
            let (began, now) = (ContinuousClock.now, wallTime())
            var (answer, error): (DayQuery.Answer?, String?)
            do {
                answer = try await ask(key.isEmpty ? nil : key, String(DayPicture.text(now, zone).prefix(10)))
            } catch is CancellationError {
                return
            } catch let failure {
                error = "the figures are out of date: \(failure)"
            }
            // Slow queries take at most a fifth of the time.
            next = .now + (.now - began - Self.shortQuery) * 4
            if let answer { rate.add(answer.committed, at: .now) }
            show(key, answer, error, now, lag: answer.flatMap(lag), rate: rate.perSecond)
        }
    }

    private func sendBeats() {
        for stream in state.withLock({ $0.channels.values.map(\.stream) }) { stream.sendBeat() }
    }

    /// The day to query next; nil if none has viewers.
    private func nextKey() -> String? {
        state.withLock { state in
            state.ticks += 1
            for (key, channel) in state.channels where channel.stream.clientCount == 0 && !channel.content.isEmpty {
                state.channels[key]?.content = ""
                channel.stream.forget()
            }
            let viewed = state.channels.filter { $0.value.stream.clientCount > 0 }
            // Days without a picture come first, then the newest day at every second tick.
            let others = viewed.filter { $0.key != "" }
            let key =
                viewed.first { $0.value.content.isEmpty }?.key
                ?? (viewed[""] != nil && (others.isEmpty || state.ticks.isMultiple(of: 2))
                    ? "" : others.min { $0.value.lastAsked < $1.value.lastAsked }?.key)
            if let key { state.channels[key]?.lastAsked = state.ticks }
            return key
        }
    }

    private func show(
        _ key: String, _ answer: DayQuery.Answer?, _ error: String?, _ now: Date, lag: Int64?, rate: Double?
    ) {
        let line: (stream: EventStream, text: String)? = state.withLock { state in
            guard var channel = state.channels[key] else { return nil }
            let shown = answer ?? channel.answer ?? DayQuery.Answer()
            channel.answer = shown
            var picture = DayPicture(version: monitor.version, answer: shown, now: now, zone: zone)
            (picture.lag, picture.rate, picture.openLetters) = (lag, rate, monitor.openLetters)
            picture.waits = (error.map { [$0] } ?? []) + monitor.blockers
            let (text, content) = picture.line()
            channel.ticksSinceShown += 1
            let isDue = content != channel.content || channel.ticksSinceShown >= Self.refreshInterval
            if isDue { (channel.content, channel.ticksSinceShown) = (content, 0) }
            state.channels[key] = channel
            return isDue ? (channel.stream, text) : nil
        }
        if let line { line.stream.show(line.text) }
    }
}

/// The rate at which the group's offsets advance.
struct PositionRate {
    private var samples: [(position: Int64, at: ContinuousClock.Instant)] = []
    private static let span = Duration.seconds(5)

    /// Records per second over the last five seconds; nil until it is known.
    var perSecond: Double? {
        guard let first = samples.first, let last = samples.last, last.at - first.at >= .milliseconds(500) else {
            return nil
        }
        return Double(last.position.subtractingSaturated(first.position)) / ((last.at - first.at) / .seconds(1))
    }

    mutating func add(_ committed: [some Hashable: Int64], at now: ContinuousClock.Instant) {
        let position = committed.values.reduce(Int64(0)) { $0.addingSaturated($1) }
        // Start over after offsets were set back, or after a time without viewers.
        if let last = samples.last, position < last.position || now - last.at > Self.span { samples = [] }
        samples.append((position, now))
        samples.removeAll { now - $0.at > Self.span }
    }
}
