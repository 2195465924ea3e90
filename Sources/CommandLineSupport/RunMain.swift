import Foundation

/// Does what the command line asks for, and ends the process with the command's status.
///
/// A failure is one line on standard error, `program: sentence`, and perhaps a hint. A reader of standard output
/// that goes away ends the program quietly.
public func runMain(_ program: Program) async -> Never {
    StandardDescriptors.reserve()
    // Writing to a closed pipe or connection returns EPIPE instead of ending the process.
    _ = signal(SIGPIPE, SIG_IGN)
    let arguments = Array(CommandLine.arguments.dropFirst())
    let environment = ProcessInfo.processInfo.environment
    SecretFilter.shared.hide(arguments, environment: environment)
    let status = await program.run(arguments, environment: environment)
    await Output.standard.flush()
    await Output.standardError.flush(atMost: .milliseconds(500))
    exit(status.rawValue)
}

extension Program {
    /// Does what the command line asks for, and says on standard error what keeps it from that.
    public func run(
        _ arguments: [String], environment: [String: String], output: Output = .standard,
        statusLine: StatusLine = .shared
    ) async -> ExitStatus {
        do {
            switch try parse(arguments, environment: environment) {
            case .text(let text):
                try await output.write(text)
            case .run(let command, let options):
                do {
                    try await command.run(options)
                } catch let failure as Failure {
                    throw withHint(failure, command: command)
                }
            }
            statusLine.clear()
            return .success
        } catch {
            statusLine.clear()
            guard let failure = failure(for: error) else { return .success }
            if failure.isLogged { return failure.status }
            statusLine.message("\(name): \(failure.sentence)")
            if let hint = failure.hint { statusLine.message(hint) }
            return failure.status
        }
    }

    /// The failure that an error is for the user, or nil where it ends the program quietly.
    private func failure(for error: any Error) -> Failure? {
        switch error {
        case let failure as Failure: failure
        case OutputError.closed: nil
        case OutputError.failed(let number):
            Failure("standard output can't be written: \(systemErrorText(number))", status: .ioError)
        default: Failure("a mistake in this program, please report it: \(error)", status: .internalError)
        }
    }
}
