import Concurrency
import Foundation

/// A program that answers each input line with an output line.
package final class Conversation: Sendable {
    private let name: String
    private let process: ChildProcess
    private let input: FileHandle
    private let output: FileHandle
    private let errors: TemporaryFolder
    /// Runs the blocking requests one after the other.
    private let queue: DispatchQueue

    /// Starts a program. It is killed with the last reference to this object.
    ///
    /// - Parameter program: The path of the program, or its name in `PATH`.
    /// - Throws: If the program cannot be started.
    package init(_ program: String, _ arguments: [String]) throws {
        name = program
        queue = DispatchQueue(label: "TestSupport.Conversation")
        errors = try TemporaryFolder()
        let (toProgram, fromProgram) = (try DescriptorPair(), try DescriptorPair())
        input = toProgram.writing
        output = fromProgram.reading
        let log = errors.url.appending(path: "err")
        try Data().write(to: log)
        let errorFile = try FileHandle(forWritingTo: log)
        process = try withExtendedLifetime((toProgram, fromProgram, errorFile)) {
            try ChildProcess(
                program, arguments,
                descriptors: (
                    toProgram.reading.fileDescriptor, fromProgram.writing.fileDescriptor, errorFile.fileDescriptor
                ))
        }
    }

    deinit {
        process.killGroup()
    }

    /// Sends a line and waits for the answer. After `timeout` the program is killed.
    ///
    /// - Throws: `ProgramError` with the program's standard error if it ends instead.
    package func ask(_ line: String, timeout: Duration = .seconds(120)) async throws -> String {
        let timer = Task { [process] in
            try await Task.sleep(for: timeout)
            process.signal(SIGKILL)
        }
        defer { timer.cancel() }
        return try await queue.value { Result { try self.askNow(line) } }.get()
    }

    private func askNow(_ line: String) throws -> String {
        guard process.isRunning else { throw ended() }
        try input.write(contentsOf: Data((line + "\n").utf8))
        var answer = Data()
        while answer.last != UInt8(ascii: "\n") {
            // read(upToCount:) would block until it has this many bytes.
            let more = output.availableData
            guard !more.isEmpty else { throw ended() }
            answer += more
        }
        return String(decoding: answer.dropLast(), as: UTF8.self)
    }

    private func ended() -> ProgramError {
        let log = (try? String(contentsOf: errors.url.appending(path: "err"), encoding: .utf8)) ?? ""
        return ProgramError("\(name) ended before its answer: \(log.suffix(2000))")
    }
}
