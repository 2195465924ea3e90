import Foundation

/// librdkafka, as `scripts/librdkafka.sh` brings it: in its package for Python.
package enum Librdkafka {
    private static let installation = SharedServers<Result<String, ProgramError>>()

    /// The path of the Python that has it; installs it first where it isn't yet.
    ///
    /// - Throws: `ProgramError` with the script's output.
    package static func python() async throws -> String {
        try await installation.server("") {
            let result = try await run(Repository.script("librdkafka.sh"), ["install"], timeout: .seconds(300))
            guard result.status == 0, let path = result.out.split(separator: "\n").last else {
                return .failure(ProgramError("librdkafka can't be installed: \(result.err)"))
            }
            return .success(String(path))
        }.get()
    }

    /// Why it can't be run here; nil where it can.
    package static func skipReason() async -> String? {
        do {
            _ = try await python()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
