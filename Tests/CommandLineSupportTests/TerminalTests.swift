import CommandLineSupport
import Concurrency
import Foundation
import Testing

/// A clock that stands still until it is advanced, and a record of everything written.
private final class Bench: Sendable {
    private let start = ContinuousClock.now
    private let elapsed = Lock(Duration.zero)
    private let text = Lock("")

    var written: String {
        text.withLock { text in
            defer { text = "" }
            return text
        }
    }

    func advance(_ duration: Duration) { elapsed.withLock { $0 += duration } }

    func line(isTerminal: Bool, columns: Int = 40) -> StatusLine {
        StatusLine(
            isTerminal: isTerminal, columns: { columns },
            now: { self.elapsed.withLock { self.start.advanced(by: $0) } },
            write: { text in self.text.withLock { $0 += text } })
    }
}

@Suite struct StatusLineTests {
    @Test func isRedrawnAtMostFiveTimesASecond() {
        let bench = Bench()
        let line = bench.line(isTerminal: true)
        line.update { "one" }
        #expect(bench.written == "\r\u{1b}[Kone")
        bench.advance(.milliseconds(199))
        line.update {
            Issue.record("the text is evaluated unnecessarily")
            return ""
        }
        #expect(bench.written.isEmpty)
        bench.advance(.milliseconds(1))
        line.update { "two" }
        #expect(bench.written == "\r\u{1b}[Ktwo")
    }

    @Test func messagesArePrintedAboveIt() {
        let bench = Bench()
        let line = bench.line(isTerminal: true)
        line.message("before")
        line.update { "live" }
        line.message("broker 1 is away")
        #expect(bench.written == "before\n\r\u{1b}[Klive\r\u{1b}[Kbroker 1 is away\nlive")
        line.clear()
        #expect(bench.written == "\r\u{1b}[K")
        line.clear()
        line.message("after")
        #expect(bench.written == "after\n")
    }

    @Test func isCutToTheWidth() {
        let bench = Bench()
        bench.line(isTerminal: true, columns: 6).update { "123456789" }
        #expect(bench.written == "\r\u{1b}[K12345")
        bench.line(isTerminal: true, columns: 0).update { "123" }
        #expect(bench.written == "\r\u{1b}[K1")
    }

    @Test func isNotShownWithoutATerminal() {
        let bench = Bench()
        let line = bench.line(isTerminal: false)
        line.update {
            Issue.record("the text is evaluated without a terminal")
            return ""
        }
        line.message("plain")
        line.clear()
        #expect(bench.written == "plain\n")
    }
}

@Suite struct OutputTests {
    @Test func aClosedPipeIsNoError() async throws {
        _ = signal(SIGPIPE, SIG_IGN)
        let pipe = Pipe()
        let output = Output(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        try await output.write("kept\n")
        output.post(line: "posted")
        await output.flush()
        #expect(pipe.fileHandleForReading.availableData == Data("kept\nposted\n".utf8))
        try pipe.fileHandleForReading.close()
        await #expect(throws: OutputError.closed) { try await output.write("lost") }

        let program = Program(
            name: "sample", version: "1", abstract: "",
            commands: [Command(name: "run", abstract: "", options: []) { _ in try await output.write("lost") }])
        #expect(await program.run(["run"], environment: [:], output: output) == .success)
    }

    @Test func aCommandsErrorBecomesOneLineAndAStatus() async {
        struct Oddity: Error {}
        let bench = Bench()
        func status(_ error: any Error) async -> CommandLineSupport.ExitStatus {
            let program = Program(
                name: "sample", version: "1", abstract: "",
                commands: [Command(name: "run", abstract: "", options: []) { _ in throw error }])
            return await program.run(["run"], environment: [:], statusLine: bench.line(isTerminal: false))
        }
        #expect(await status(Failure("the broker is away", status: .unavailable)) == .unavailable)
        #expect(bench.written == "sample: the broker is away\n")
        #expect(await status(Failure("--a and --b exclude each other", status: .usage)) == .usage)
        #expect(bench.written == "sample: --a and --b exclude each other\nsee 'sample run --help'\n")
        #expect(await status(OutputError.failed(ENOSPC)) == .ioError)
        #expect(bench.written.hasPrefix("sample: standard output can't be written: No space"))
        #expect(await status(Oddity()) == .internalError)
        #expect(bench.written.hasPrefix("sample: internal error, please report it"))
    }

    @Test func resourceUsageGrows() {
        let usage = ResourceUsage.current
        #expect(usage.maxResidentMB > 1 && usage.maxResidentMB < 100_000)
        #expect(usage.userSeconds + usage.systemSeconds > 0)
    }
}
