import Foundation

/// Runs the command line's request, and exits with the command's status.
///
/// A failure is printed as one line on standard error, `program: sentence`, possibly followed by a hint. If the reader
/// of standard output closes it, the program ends silently.
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
    /// Runs the command line's request, and reports a failure on standard error.
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

    /// The failure to report for an error; nil if the program ends silently.
    private func failure(for error: any Error) -> Failure? {
        switch error {
        case let failure as Failure: failure
        case OutputError.closed: nil
        case OutputError.failed(let number):
            Failure("standard output can't be written: \(systemErrorText(number))", status: .ioError)
        default: Failure("internal error, please report it: \(error)", status: .internalError)
        }
    }
}
