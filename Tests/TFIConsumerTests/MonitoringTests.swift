import CommandLineSupport
import Concurrency
import Foundation
import HTTPServer
import Testing

@testable import IngestEngine
@testable import TFIConsumer

extension HTTPResponse {
    fileprivate var text: String {
        guard case .bytes(let bytes) = body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}

@Suite struct MonitoringTests {
    @Test func metricsAreInPrometheusFormat() {
        var text = PrometheusText()
        text.add("a_total", .counter, "As.", 3)
        text.add("none", .gauge, "Left out.", [])
        text.add("b", .gauge, "Bs.", [([("x", "a\"b\\c\nd"), ("y", "1")], 0.5), ([], .infinity)])
        var histogram = Histogram(bounds: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 7] { histogram.observe(value) }
        histogram.observe(1, times: 3)
        text.add("c_seconds", "Cs.", histogram)
        #expect(
            text.text == """
                # HELP a_total As.
                # TYPE a_total counter
                a_total 3
                # HELP b Bs.
                # TYPE b gauge
                b{x="a\\"b\\\\c\\nd",y="1"} 0.5
                b +Inf
                # HELP c_seconds Cs.
                # TYPE c_seconds histogram
                c_seconds_bucket{le="0.1"} 2
                c_seconds_bucket{le="1"} 6
                c_seconds_bucket{le="+Inf"} 7
                c_seconds_sum 10.65
                c_seconds_count 7

                """)
    }

    private final class Lines: Sendable {
        private let state = Lock<[String]>([])
        func append(_ line: String) { state.withLock { $0.append(line) } }
        var all: [String] { state.withLock { $0 } }
    }

    @Test func logsALineEachMinute() async {
        let lines = Lines()
        let log = Log(now: { Date(timeIntervalSince1970: 0) }, write: { [lines] in lines.append($0) })
        let metrics = IngestMetrics(wallTime: { 10_000 })
        let monitor = RunMonitor(observer: IngestObserver(log: log, metrics: metrics))
        let rounds = Lock(0)
        let progress = ProgressLog(
            monitor: monitor,
            takeRejections: { rounds.withLock { $0 } == 2 ? (3, "3 × no key") : (0, "") },
            sleep: { pause in
                #expect(pause == .seconds(60))
                let round = rounds.withLock { count in
                    count += 1
                    return count
                }
                if round > 2 { throw CancellationError() }
                let batch = IngestTotals.Batch(
                    records: 600, messageBytes: 0, tables: ["t"], rows: [600 * round], deadLetters: 0, suppressed: 0,
                    progress: [:])
                metrics.committed(batch, RejectionSummary(), took: .milliseconds(1))
            })
        await progress.run()
        #expect(
            lines.all == [
                "1970-01-01T00:00:00.000Z info in the last minute rows=600 rows_per_second=10 lag=unknown "
                    + "oldest_seconds=0 dead_letters=0",
                "1970-01-01T00:00:00.000Z warning in the last minute reasons=\"3 × no key\" rows=1200 rows_per_second=20 "
                    + "lag=unknown oldest_seconds=0 dead_letters=3",
            ])
    }

    @Test func processWhoseTasksDoNotRunIsUnhealthy() {
        let clock = Lock(ContinuousClock.now)
        let monitor = RunMonitor(observer: IngestObserver(), now: { clock.withLock { $0 } })
        let pages = StatusPages(monitor: monitor, livePage: nil)
        #expect(pages.answer(HTTPRequest(path: "/healthz")).status == .ok)
        clock.withLock { $0 += .seconds(21) }
        let answer = pages.answer(HTTPRequest(path: "/healthz"))
        #expect(answer.status == .serviceUnavailable)
        #expect(answer.text == "no task has run for 21 s\n")
    }

    @Test func runThatHasNotBegunIsNotReadyButHasMetrics() {
        let monitor = RunMonitor(observer: IngestObserver(), version: "1.2.3")
        let pages = StatusPages(monitor: monitor, livePage: nil)
        let ready = pages.answer(HTTPRequest(path: "/readyz"))
        #expect(ready.status == .serviceUnavailable)
        #expect(ready.text == "the run has not begun\n")
        let figures = pages.answer(HTTPRequest(path: "/metrics"))
        #expect(figures.status == .ok && figures.type == "text/plain; version=0.0.4; charset=utf-8")
        let text = figures.text
        #expect(text.contains("tfi_consumer_build_info{version=\"1.2.3\"} 1\n"))
        #expect(text.contains("tfi_consumer_ready 0\n"))
        #expect(pages.answer(HTTPRequest(path: "/secrets")).status == .notFound)
    }
}
