import Concurrency
import Foundation

/// The result of a program that has ended.
package struct ProgramResult: Sendable {
    /// The exit status; as in a shell, 128 plus the signal's number if a signal ended the program.
    package let status: Int32
    /// All of standard output.
    package let out: String
    /// All of standard error.
    package let err: String
}

/// A program could not be run, did not end in time, or failed although it must not.
package struct ProgramError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Runs a program until it ends.
///
/// - Parameters:
///   - program: The path of the program, or its name in `PATH`.
///   - arguments: The program's arguments.
///   - environment: Variables in addition to those of this process.
///   - input: The program's standard input.
///   - timeout: The time after which the program is killed.
/// - Throws: `ProgramError` if the program cannot be started or was killed at the timeout. Any exit status is a result.
package func run(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:], input: String = "",
    timeout: Duration = .seconds(60)
) async throws -> ProgramResult {
    let running = try await RunningProgram.start(program, arguments, environment: environment, input: input)
    return try await running.result(timeout: timeout)
}

/// A running program, for tests that watch it, signal it or kill it.
///
/// Its output goes to files instead of pipes, so that it never waits for a reader.
package final class RunningProgram: Sendable {
    private let name: String
    private let process: ChildProcess
    private let folder: TemporaryFolder

    package var processIdentifier: Int32 { process.identifier }
    package var isRunning: Bool { process.isRunning }

    private init(name: String, process: ChildProcess, folder: TemporaryFolder) {
        self.name = name
        self.process = process
        self.folder = folder
    }

    deinit {
        process.killGroup()
    }

    /// Starting a program blocks until it has replaced the new process's image.
    private static let starter = DispatchQueue(label: "TestSupport.RunningProgram")

    /// Starts a program. For the parameters see `run`. The program is killed with the last reference to this object.
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
        // Hides the user's home folder, in which kafkawire would read kcat's settings.
        let inherited = ProcessInfo.processInfo.environment.merging(["KCAT_CONFIG": "/dev/null"]) { $1 }
        let folder = try TemporaryFolder()
        for (file, contents) in [("in", input), ("out", ""), ("err", "")] {
            try Data(contents.utf8).write(to: folder.url.appending(path: file))
        }
        let files = (
            input: try FileHandle(forReadingFrom: folder.url.appending(path: "in")),
            output: try FileHandle(forWritingTo: folder.url.appending(path: "out")),
            error: try FileHandle(forWritingTo: folder.url.appending(path: "err"))
        )
        let process = try withExtendedLifetime(files) {
            try ChildProcess(
                program, arguments, environment: inherited.merging(environment) { $1 },
                descriptors: (files.input.fileDescriptor, files.output.fileDescriptor, files.error.fileDescriptor))
        }
        return RunningProgram(name: program, process: process, folder: folder)
    }

    /// Sends a signal. Does nothing if the program has ended.
    package func signal(_ number: Int32) {
        process.signal(number)
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
    /// - Throws: `ProgramError` if it had to be killed at the timeout.
    package func result(timeout: Duration = .seconds(60)) async throws -> ProgramResult {
        let timer = Task {
            do { try await Task.sleep(for: timeout) } catch { return false }
            signal(SIGKILL)
            return true
        }
        let status = await process.status.value()
        timer.cancel()
        let isLate = await timer.value
        let result = ProgramResult(status: status, out: try read("out"), err: try read("err"))
        guard !isLate else {
            throw ProgramError("\(name) did not end in \(timeout) and was killed; it wrote: \(result.out)\(result.err)")
        }
        return result
    }
}
