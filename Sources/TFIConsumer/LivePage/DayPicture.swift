import CommandLineSupport
import Foundation

/// One picture of a day for the live page: a line of JSON that `Page/page.js` reads.
struct DayPicture {
    let version: String
    let answer: DayQuery.Answer
    /// The plant's local time.
    let now: Date
    let zone: TimeZone
    /// The number of records that are not in the database yet; nil if unknown.
    var lag: Int64?
    /// Records per second; nil if unknown.
    var rate: Double?
    /// The number of open dead letters; nil if unknown.
    var openLetters: Int?
    /// Why records are not reaching the database, one text for each reason.
    var waits: [String] = []

    /// The newest day is a replay if its last row is older than `longestPause`, or further ahead of the clock than
    /// `greatestAdvance`. In seconds.
    private static let longestPause: TimeInterval = 16 * 3_600
    private static let greatestAdvance: TimeInterval = 3_600

    /// Encodes the picture.
    ///
    /// - Returns: The picture, and the same without the time of day, to notice whether anything else has changed.
    func line() -> (text: String, content: String) {
        let local = Self.text(now, zone)
        let isReplayed = answer.day == answer.newestDay && isAnotherTime
        let data = JSONValue.object([
            .init("last_message", answer.lastCommit.map { .string(moment($0)) } ?? .null),
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

    /// The same instant in the plant's time zone, as `yyyy-MM-ddTHH:mm:ss+HH:mm` (or `Z` if the offset is 0).
    ///
    /// The page shows the local time, and computes the message's age from the instant.
    private func moment(_ utc: String) -> String {
        guard let date = try? Date.ISO8601FormatStyle().parse(utc) else { return utc }
        return date.formatted(Date.ISO8601FormatStyle(timeZoneSeparator: .colon, timeZone: zone))
    }

    /// Removes the line feeds that Postgres puts between the values of a JSON array.
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
