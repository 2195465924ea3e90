import PGWire
import Testing

@testable import IngestEngine

@Suite("Row encoder: times")
struct RowEncoderTimeTests {
    static let day: Int64 = 86_400_000_000

    @Test func isoTimesAreMicrosecondsSince2000() throws {
        let type = ColumnType.timestamp(precision: 6)
        #expect(try EncodedMessage(type, "\"2000-01-02\"").number == Self.day)
        #expect(try EncodedMessage(type, "\"2000-01-01T01:00:00.5\"").number == 3_600_500_000)
        #expect(try EncodedMessage(type, "\"1999-12-31 23:59:59.9999996\"").number == 0)
        // A `timestamp` ignores an offset.
        #expect(try EncodedMessage(type, "\"2000-01-01 01:00:00+05\"").number == 3_600_000_000)
        let zoned = ColumnType.timestamptz(precision: 6)
        #expect(try EncodedMessage(zoned, "\"2000-01-01 01:00+01:00\"").number == 0)
        #expect(try EncodedMessage(zoned, "\"2000-01-01T01:00:00-0130\"").number == 9_000_000_000)
        #expect(try EncodedMessage(zoned, "\"2000-01-01 01:00:00\"").number == 3_600_000_000)
        #expect(try EncodedMessage(.date, "\"2000-03-01T23:00:00-11\"").number == 60)
        #expect(try EncodedMessage(.time(precision: 6), "\"01:00:00.25\"").number == 3_600_250_000)
        #expect(try EncodedMessage(zoned, "\"-infinity\"").number == .min)
    }

    @Test(arguments: [
        "\"2023-02-29\"", "\"2024-03-12 25:00\"", "\"2024-03-12 10:61\"", "\"abc\"", "\"\"", "true", "[]",
    ])
    func invalidTimesAreRejected(_ value: String) throws {
        #expect(try EncodedMessage(.timestamptz(precision: 6), value).rejection != nil)
    }

    @Test(arguments: ["\"Mar 3 2024\"", "\"2024-03-12 24:00:00\"", "\"0044-03-15 BC\"", "\"epoch\"", "20240312"])
    func rareFormsGoToTheServer(_ value: String) throws {
        #expect(try EncodedMessage(.timestamptz(precision: 6), value).serverRow == "{\"a\":\(value)}")
    }

    @Test(arguments: ["now", " NOW ", "today 10:00", "Yesterday", "tomorrow", "\\u006eow"])
    func relativeTimesAreRejectedAlsoInDomainsAndArrays(_ text: String) throws {
        let type = ColumnType.timestamptz(precision: 6)
        for (type, value) in [
            (type, "\"\(text)\""), (.domain(base: type, isChecked: false), "\"\(text)\""),
            (.array(element: type, elementOID: 1184), "[\"\(text)\"]"),
            (.array(element: type, elementOID: 1184), "\"{\(text)}\""),
            (.array(element: type, elementOID: 1184), "[[],[\"\(text)\"]]"),
        ] {
            let reason = try EncodedMessage(type, value).rejection
            #expect(reason?.contains("not one relative to the present") == true, "\(value): \(reason ?? "")")
        }
    }

    private func formatted(
        _ type: ColumnType, _ value: String, _ format: TimeFormat?, zone: String? = nil
    ) throws -> EncodedMessage {
        var column = RowPlan.Column("a", type)
        (column.format, column.zone) = (format, zone)
        return try EncodedMessage([column], "{\"a\":\(value)}")
    }

    @Test func unixTimes() throws {
        let type = ColumnType.timestamptz(precision: 6)
        #expect(try formatted(type, "946684801", .unix(.seconds)).number == 1_000_000)
        #expect(try formatted(type, "946684800.0000015", .unix(.seconds)).number == 2)
        #expect(try formatted(type, "946684800.0000025", .unix(.seconds)).number == 2)
        #expect(try formatted(type, "\"946684800001\"", .unix(.milliseconds)).number == 1000)
        #expect(try formatted(type, "946684800000001", .unix(.microseconds)).number == 1)
        #expect(try formatted(type, "946684800000001500", .unix(.nanoseconds)).number == 2)
        #expect(try formatted(type, "-1", .unix(.seconds)).number == -946_684_801_000_000)
        #expect(try formatted(.date, "946684799", .unix(.seconds)).number == -1)
        #expect(
            try formatted(.timestamp(precision: 6), "946684800", .unix(.seconds), zone: "Europe/Madrid").number
                == 3_600_000_000)
        #expect(try formatted(type, "1e30", .unix(.seconds)).rejection != nil)
        #expect(try formatted(type, "\"soon\"", .unix(.milliseconds)).rejection?.contains("unix_ms") == true)
    }

    @Test func patternsAndZones() throws {
        let pattern = TimeFormat.pattern(try TimePattern("dd.MM.yyyy HH:mm:ss"))
        let type = ColumnType.timestamptz(precision: 6)
        #expect(try formatted(type, "\"01.01.2000 01:00:00\"", pattern, zone: "Europe/Madrid").number == 0)
        #expect(
            try formatted(.timestamp(precision: 6), "\"01.01.2000 01:00:00\"", pattern, zone: "Europe/Madrid").number
                == 3_600_000_000)
        #expect(try formatted(type, "\"1.01.2000 01:00:00\"", pattern).rejection?.contains("dd.MM.yyyy") == true)
        #expect(try formatted(type, "\"31.02.2000 01:00:00\"", pattern).rejection?.contains("range") == true)
        let offset = TimeFormat.pattern(try TimePattern("yyyy-M-d'T'HH:mm:ss.SSSX"))
        #expect(try formatted(type, "\"2000-1-1T01:00:00.500+01:00\"", offset).number == 500_000)
        // With a zone but no format, only ISO 8601 is accepted.
        #expect(try formatted(type, "\"Mar 3 2024\"", nil, zone: "Europe/Madrid").rejection != nil)
        #expect(try formatted(type, "\"2000-01-01 01:00\"", nil, zone: "Europe/Madrid").number == 0)
        #expect(try formatted(.time(precision: 6), "\"01:00\"", .iso8601).number == 3_600_000_000)
        #expect(try formatted(type, "\"01:00\"", .iso8601).rejection?.contains("a date as well as a time") == true)
    }

    @Test func anUnknownZoneIsAnErrorOfThePlan() {
        var column = RowPlan.Column("a", .timestamptz(precision: 6))
        column.zone = "Europe/Atlantis"
        #expect(throws: RowPlanError.self) { _ = try EncodedMessage([column], "{}") }
    }

    /// As `timestamp AT TIME ZONE` in Postgres, which the conformance tests compare.
    @Test func localTimesThatOccurTwiceOrNever() throws {
        var clock = try #require(ZoneClock("Europe/Madrid"))
        func seconds(_ day: Int64, _ month: Int64, _ hour: Int64, _ minute: Int64) throws -> Int64 {
            try #require(TimeInput.days(year: 2024, month: month, day: day)) * 86_400 + hour * 3600 + minute * 60
        }
        #expect(clock.offset(atLocal: try seconds(31, 3, 1, 59)) == 3600)
        #expect(clock.offset(atLocal: try seconds(31, 3, 2, 30)) == 3600)
        #expect(clock.offset(atLocal: try seconds(31, 3, 3, 0)) == 7200)
        #expect(clock.offset(atLocal: try seconds(27, 10, 1, 59)) == 7200)
        #expect(clock.offset(atLocal: try seconds(27, 10, 2, 30)) == 3600)
        #expect(clock.offset(atLocal: try seconds(27, 10, 3, 0)) == 3600)
    }

    @Test func aRowForTheServerHasConvertedTimesInISOForm() throws {
        var at = RowPlan.Column("at", .timestamptz(precision: 6))
        at.format = .unix(.milliseconds)
        var day = RowPlan.Column("day", .date)
        day.format = .unix(.seconds)
        let message = try EncodedMessage(
            [at, day, RowPlan.Column("age", .interval)], "{\"at\":1710223200250,\"day\":-86400,\"age\":\"1 day\"}")
        #expect(
            message.serverRow == "{\"at\":\"2024-03-12 06:00:00.250000+00\",\"day\":\"1969-12-31\",\"age\":\"1 day\"}")
        #expect(
            TimeText.date(days: -730_425 - 366) == "0000-02-29" || TimeText.date(days: -730_425 - 366).hasSuffix("BC"))
    }
}
