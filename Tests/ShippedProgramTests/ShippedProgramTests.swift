import Foundation
import TestSupport
import Testing

/// Tests the programs as shipped (optimised), or with the address sanitizer, between a real Kafka with TLS and logins
/// and a real Postgres. `scripts/programs.sh` builds the programs and runs these tests.
@Suite(needsPrograms, needsServers) enum ShippedPrograms {}

private let needsPrograms: ConditionTrait = .enabled(
    if: ProcessInfo.processInfo.environment["TFI_PROGRAMS"]?.isEmpty == false,
    "run scripts/programs.sh, which sets TFI_PROGRAMS")

private let needsServers: ConditionTrait = .enabled(
    if: KafkaHome.newest != nil && PostgresServer.isAvailable,
    "\(KafkaHome.newest == nil ? KafkaHome.skipReason : PostgresServer.skipReason)")

/// Runs a program and requires an exit status.
///
/// - Throws: `ProgramError` with the command line, its exit status and its output if the status differs.
@discardableResult
func run(
    _ program: String, _ arguments: [String], input: String = "", status: Int32
) async throws -> ProgramResult {
    let path = try Repository.program(program)
    let result = try await run(path, arguments, input: input, timeout: .seconds(120))
    guard result.status == status else {
        throw ProgramError(
            """
            \(path) \(arguments.joined(separator: " "))
            exit status: \(result.status), expected: \(status)
            standard output: \(result.out.prefix(2000))
            standard error: \(result.err.prefix(8000))
            """)
    }
    return result
}

/// Expects the same lines in the same order. A failure shows only the first line that differs.
func expectSame(
    _ found: [String], _ expected: [String], _ what: String, _ location: SourceLocation = #_sourceLocation
) {
    guard found != expected else { return }
    let first = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let index = first ?? min(found.count, expected.count)
    func line(_ lines: [String]) -> String { index < lines.count ? "\"\(lines[index].prefix(300))\"" : "nothing" }
    Issue.record(
        """
        \(what)
        found \(found.count) lines, expected \(expected.count)
        line \(index): found \(line(found)), expected \(line(expected))
        """, sourceLocation: location)
}

/// The lines of a text, without the empty one after the last newline.
func lines(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
}
