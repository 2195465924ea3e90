import CommandLineSupport
import Foundation
import KafkaWire

@main
struct Main {
    static func main() async {
        StandardDescriptors.reserve()
        // Writing to a closed pipe or connection returns EPIPE instead of ending the process.
        _ = signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        SecretFilter.shared.hide(arguments)
        let status = await run(arguments)
        await Output.standard.flush()
        await Output.standardError.flush()
        exit(status.rawValue)
    }

    private static func run(_ arguments: [String]) async -> ExitStatus {
        do {
            try await dispatch(arguments)
            return .success
        } catch let error as KafkaError {
            return report(Failure(error))
        } catch let failure as Failure {
            return report(failure)
        } catch OutputError.closed {
            // The reader of standard output has gone, for example head(1).
            return .success
        } catch OutputError.failed(let number) {
            return report(Failure("can't write to standard output: \(systemErrorText(number))", status: .ioError))
        } catch {
            return report(Failure("a fault in this program, please report it: \(error)", status: .internalError))
        }
    }

    private static func dispatch(_ arguments: [String]) async throws {
        if let first = arguments.first, let area = AdminArea.all.first(where: { $0.name == first }) {
            return try await AdminProgram(area: area).run(Array(arguments.dropFirst()))
        }
        guard !arguments.isEmpty else {
            throw Failure("no mode is given: use -L, -P, -C, -G or -Q", status: .usage)
        }
        if arguments.contains("-h") || arguments.contains("--help") {
            return try await Output.standard.write("kafkawire \(KafkaWireVersion.current)\n\n" + HelpText.messages)
        }
        if arguments.contains("-V") || arguments.contains("--version") {
            return try await Output.standard.write("kafkawire \(KafkaWireVersion.current)\n")
        }
        try await MessageProgram.run(arguments)
    }

    private static func report(_ failure: Failure) -> ExitStatus {
        Output.standardError.post(line: "kafkawire: \(failure.sentence)")
        if let hint = failure.hint ?? (failure.status == .usage ? "see 'kafkawire --help'" : nil) {
            Output.standardError.post(line: hint)
        }
        return failure.status
    }
}
