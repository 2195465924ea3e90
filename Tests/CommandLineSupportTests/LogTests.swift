import Concurrency
import Foundation
import Testing

@testable import CommandLineSupport

@Suite struct LogTests {
    private final class Lines: Sendable {
        private let state = Lock<[String]>([])
        func append(_ line: String) { state.withLock { $0.append(line) } }
        var all: [String] { state.withLock { $0 } }
    }

    private let lines = Lines()

    private func log(_ format: Log.Format, _ level: Log.Level = .info) -> Log {
        Log(
            format: format, level: level, now: { Date(timeIntervalSince1970: 1_700_000_000.25) },
            write: { [lines] in lines.append($0) })
    }

    private var written: [String] { lines.all }

    @Test func textHasTimeLevelMessageAndFields() {
        let log = log(.text).adding("worker", 2)
        log.info("started", ["group": "g", "lag": 12, "ready": true, "share": .number(0.5), "position": nil])
        log.warning("waiting", ["why": "it isn't there", "empty": "", "quoted": "a\"b", "path": "a\\b", "pair": "a=b"])
        #expect(
            written == [
                "2023-11-14T22:13:20.250Z info started worker=2 group=g lag=12 ready=true share=0.5 position=null",
                "2023-11-14T22:13:20.250Z warning waiting worker=2 why=\"it isn't there\" empty=\"\" quoted=\"a\\\"b\" "
                    + "path=\"a\\\\b\" pair=\"a=b\"",
            ])
    }

    @Test func jsonIsAnObjectOnOneLine() throws {
        log(.json).adding("worker", 2).error("it \"ended\"\nbadly", ["reason": "\u{1B}[31m"])
        #expect(
            written == [
                "{\"time\":\"2023-11-14T22:13:20.250Z\",\"level\":\"error\",\"message\":\"it \\\"ended\\\"\\nbadly\","
                    + "\"worker\":2,\"reason\":\"\\u001b[31m\"}"
            ])
        _ = try JSONSerialization.jsonObject(with: Data(written[0].utf8))
    }

    @Test(arguments: zip(Log.Level.allCases, 1...4))
    func lessImportantLinesAreLeftOut(level: Log.Level, count: Int) {
        let log = log(.text, level)
        log.error("e")
        log.warning("w")
        log.info("i")
        log.debug("d")
        #expect(written.count == count)
    }

    @Test func choicesAreParsedByName() {
        let format = ValueFormat.word(Log.Level.self)
        #expect(format.parse("warning") == .warning)
        #expect(format.parse("Warning") == nil)
        #expect(format.expectation == "one of error, warning, info, debug")
    }
}
