import Concurrency
import Foundation

/// What a program that has ended left.
package struct ProgramResult: Sendable {
    /// The exit status, or 128 and the signal's number where a signal ended it, as a shell counts.
    package let status: Int32
    /// All of standard output.
    package let out: String
    /// All of standard error.
    package let err: String
}

/// A program that could not be run, did not end in time, or ended with a failure where it must not.
package struct ProgramError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Runs a program to its end.
///
/// - Parameters:
///   - program: The path of the program, or its name in `PATH`.
///   - environment: Variables beside those of this process.
///   - input: What it reads from standard input.
///   - timeout: After this time it is killed.
/// - Throws: `ProgramError` where it can't be started or was killed at the timeout. Any exit status is a result.
package func run(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:], input: String = "",
    timeout: Duration = .seconds(60)
) async throws -> ProgramResult {
    let running = try await RunningProgram.start(program, arguments, environment: environment, input: input)
    return try await running.result(timeout: timeout)
}

/// A program under way, for tests that watch it, send it signals, or kill it.
///
/// Its output goes to files rather than to pipes: it never waits for its reader, and another process that was started
/// at the same moment can't hold a pipe open.
package final class RunningProgram: Sendable {
    private let name: String
    private let process: Process
    private let folder: TemporaryFolder
    private let ended: Task<Int32, Never>

    package var processIdentifier: Int32 { process.processIdentifier }
    package var isRunning: Bool { process.isRunning }

    private init(name: String, process: Process, folder: TemporaryFolder, ended: Task<Int32, Never>) {
        self.name = name
        self.process = process
        self.folder = folder
        self.ended = ended
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// Programs are started one after the other, on a thread that may block.
    private static let starter = DispatchQueue(label: "TestSupport.RunningProgram")

    /// Starts a program; see `run` for the parameters. It is killed with the last reference to what this returns.
    package static func start(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = [:], input: String = ""
    ) async throws -> RunningProgram {
        try await starter.value {
            Result { try startNow(program, arguments, environment: environment, input: input) }
        }.get()
    }

    private static func startNow(
        _ program: String, _ arguments: [String], environment: [String: String], input: String
    ) throws -> RunningProgram {
        let folder = try TemporaryFolder()
        for (file, contents) in [("in", input), ("out", ""), ("err", "")] {
            try Data(contents.utf8).write(to: folder.url.appending(path: file))
        }
        let process = Process()
        if program.contains("/") {
            process.executableURL = URL(filePath: program)
            process.arguments = arguments
        } else {
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [program] + arguments
        }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: folder.url.appending(path: "in"))
        process.standardOutput = try FileHandle(forWritingTo: folder.url.appending(path: "out"))
        process.standardError = try FileHandle(forWritingTo: folder.url.appending(path: "err"))
        let (statuses, continuation) = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { process in
            let signalled = process.terminationReason == .uncaughtSignal
            continuation.yield((signalled ? 128 : 0) + process.terminationStatus)
            continuation.finish()
        }
        do {
            try process.run()
        } catch {
            throw ProgramError("cannot start \(program): \(error.localizedDescription)")
        }
        let ended = Task {
            for await status in statuses { return status }
            return -1
        }
        return RunningProgram(name: program, process: process, folder: folder, ended: ended)
    }

    /// Sends a signal; nothing happens where the program has ended.
    package func signal(_ number: Int32) {
        if process.isRunning { kill(process.processIdentifier, number) }
    }

    /// Standard output so far.
    package func output() throws -> String { try read("out") }

    /// Standard error so far.
    package func errors() throws -> String { try read("err") }

    private func read(_ file: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.url.appending(path: file)), as: UTF8.self)
    }

    /// Waits until the program has ended.
    ///
    /// - Throws: `ProgramError` where it had to be killed at the timeout.
    package func result(timeout: Duration = .seconds(60)) async throws -> ProgramResult {
        let timer = Task {
            do { try await Task.sleep(for: timeout) } catch { return false }
            signal(SIGKILL)
            return true
        }
        let status = await ended.value
        timer.cancel()
        let isLate = await timer.value
        let result = ProgramResult(status: status, out: try read("out"), err: try read("err"))
        guard !isLate else {
            throw ProgramError("\(name) did not end in \(timeout) and was killed; it wrote: \(result.out)\(result.err)")
        }
        return result
    }
}
