import CommandLineSupport
import Foundation

/// What the live page shows at a moment: one line of JSON, whose members `Page/page.js` reads.
struct DayPicture {
    let version: String
    let answer: DayQuery.Answer
    /// The plant's local time.
    let now: Date
    let zone: TimeZone
    /// Nil for what isn't known.
    var lag: Int64?
    var rate: Double?
    var openLetters: Int?
    /// What keeps records from the database.
    var waits: [String] = []

    /// The messages are of another time than now, if the last row of the newest day is this old or is of the future.
    private static let longestPause: TimeInterval = 16 * 3_600
    private static let greatestAdvance: TimeInterval = 3_600

    /// - Parameter isCurrent: Whether the day is the newest one, and was not chosen.
    /// - Returns: The picture, and the part of it that does not change with the time alone.
    func line(isCurrent: Bool) -> (text: String, content: String) {
        let local = Self.text(now, zone)
        let isReplayed = isCurrent && isAnotherTime
        let data = JSONValue.object([
            .init("last_message", answer.lastCommit.map { .string($0) } ?? .null),
            .init("lag", lag.map { .integer(Int(clamping: $0)) } ?? .null),
            .init("rows_per_second", rate.map { .rounded($0, decimals: 1) } ?? .null),
            .init("dead_letters", openLetters.map { .integer($0) } ?? .null),
            .init("waits", .array(waits.map { .string(ForeignText.visible($0)) })),
        ])
        let content =
            "\"version\":\(JSONValue.string(version).text),\"replayed\":\(isReplayed),"
            + "\"day\":\(JSONValue.string(answer.day ?? String(local.prefix(10))).text),\"days\":\(Self.line(answer.days)),"
            + "\"tiles\":\(Self.line(answer.tiles)),\"data\":\(data.text)"
        let shown = isReplayed ? answer.lastRow ?? local : local
        return ("{\"now\":\(JSONValue.string(shown).text),\(content)}", content)
    }

    private var isAnotherTime: Bool {
        guard let text = answer.lastRow, let last = Self.date(text, zone) else { return false }
        let age = now.timeIntervalSince(last)
        return age > Self.longestPause || age < -Self.greatestAdvance
    }

    /// JSON of the server may have line feeds between its values.
    private static func line(_ json: String) -> String {
        json.contains("\n") ? json.replacing("\n", with: " ") : json
    }

    // MARK: Local times

    private static func format(_ zone: TimeZone) -> Date.ISO8601FormatStyle {
        Date.ISO8601FormatStyle(timeZone: zone).year().month().day().dateTimeSeparator(.standard)
            .time(includingFractionalSeconds: false)
    }

    /// `yyyy-MM-ddTHH:mm:ss`
    static func text(_ date: Date, _ zone: TimeZone) -> String { date.formatted(format(zone)) }

    static func date(_ text: String, _ zone: TimeZone) -> Date? { try? format(zone).parse(text) }
}
