import Foundation
import Testing

@testable import TFIConsumer

@Suite("Timestamps")
struct TimestampParserTests {
    private func parse(_ text: String) -> Int64? {
        var parser = TimestampParser()
        let bytes = Array(text.utf8)
        return unsafe parser.microseconds(bytes.span.bytes)
    }

    @Test func knownTimes() {
        let times: [(String, Int64)] = [
            ("2000-01-01 00:00:00", 0), ("2000-01-01 00:00:00.000001", 1), ("1999-12-31 23:59:59.999999", -1),
            ("2000-01-02 00:00:00.0", 86_400_000_000), ("2024-03-12 08:00:06.1", Passage.microseconds),
            ("2000-03-01 00:00:00", 60 * 86_400_000_000), ("1970-01-01 00:00:00", -946_684_800_000_000),
            // PostgreSQL: extract(epoch from timestamp) for these, less that of 2000-01-01.
            ("0001-01-01 00:00:00", -63_082_281_600_000_000), ("9999-12-31 23:59:59.999999", 252_455_615_999_999_999),
        ]
        for (text, microseconds) in times { #expect(parse(text) == microseconds, "\(text)") }
    }

    @Test func upToSixDigitsOfASecond() {
        let fractions: [(String, Int64)] = [
            (".5", 500_000), (".05", 50_000), (".123", 123_000), (".1234", 123_400), (".12345", 123_450),
            (".123456", 123_456), (".000000", 0),
        ]
        for (fraction, microseconds) in fractions {
            #expect(parse("2000-01-01 00:00:01" + fraction) == 1_000_000 + microseconds, "\(fraction)")
        }
        for fraction in [".", ".1234567", ".12a", ". 1", ",5", ".5 ", ".-5", ".5Z", ".5+02:00", "Z", "+00", " "] {
            #expect(parse("2000-01-01 00:00:01" + fraction) == nil, "\(fraction)")
        }
    }

    /// Every day from 1895 to 2105, counted on by one.
    @Test func everyDayIsOneAfterTheOneBefore() throws {
        var days = try #require(parse("1895-01-01 00:00:00")) / 86_400_000_000
        for year in 1895...2105 {
            let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
            for (month, count) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
                for day in 1...31 {
                    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
                    let text = "\(year)-\(two(month + 1))-\(two(day)) 00:00:00"
                    if day <= count {
                        #expect(parse(text) == days * 86_400_000_000, "\(text)")
                        days += 1
                    } else {
                        #expect(parse(text) == nil, "\(text)")
                    }
                }
            }
        }
    }

    @Test func whatDoesNotExistIsRefused() {
        for text in [
            "2023-02-29 00:00:00", "1900-02-29 00:00:00", "2024-02-30 00:00:00", "2024-04-31 00:00:00",
            "2024-00-01 00:00:00", "2024-13-01 00:00:00", "2024-01-00 00:00:00", "2024-01-32 00:00:00",
            "0000-01-01 00:00:00", "2024-01-01 24:00:00", "2024-01-01 00:60:00", "2024-01-01 00:00:60",
            "2024-01-01 99:00:00", "2024/01/01 00:00:00", "2024-01-01_00:00:00", "2024-01-01 00.00.00",
            "2024-1-1 0:00:00", "24-01-01 00:00:00.0", "2024-01-01  0:00:00", " 2024-01-01 00:00:00",
            "+2024-01-01 00:00:00", "-024-01-01 00:00:00", "2024-01-01 -1:00:00", "2024-01-01 00:00:0",
            "infinity", "now", "", "２０２４-01-01 00:00:00",
        ] {
            #expect(parse(text) == nil, "\(text)")
        }
    }

    /// A parser keeps the day of the time before: good and bad ones in turn must not disturb each other.
    @Test func aParserIsTheSameForEveryOrder() {
        var parser = TimestampParser()
        let texts = [
            "2024-02-29 10:00:00", "2023-02-29 10:00:00", "2024-02-29 10:00:00.5", "2024-02-29 25:00:00",
            "2024-03-01 00:00:00", "2024-02-29 23:59:59", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0} 10:00:00",
        ]
        for text in texts + texts.reversed() {
            let bytes = Array(text.utf8)
            #expect(unsafe parser.microseconds(bytes.span.bytes) == parse(text), "\(text)")
        }
        var fresh = TimestampParser()
        let zeros = [UInt8](repeating: 0, count: 10) + Array(" 10:00:00".utf8)
        #expect(unsafe fresh.microseconds(zeros.span.bytes) == nil)
    }
}
