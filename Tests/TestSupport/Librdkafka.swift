import Foundation

/// librdkafka from its Python package, installed by `scripts/librdkafka.sh`.
package enum Librdkafka {
    private static let installation = SharedServers<Result<String, ProgramError>>()

    /// The path of the Python interpreter that has it. Installs it if necessary.
    ///
    /// - Throws: `ProgramError` with the script's output.
    package static func python() async throws -> String {
        try await installation.server("") {
            let result = try await run(Repository.script("librdkafka.sh"), ["install"], timeout: .seconds(300))
            guard result.status == 0, let path = result.out.split(separator: "\n").last else {
                return .failure(ProgramError("cannot install librdkafka: \(result.err)"))
            }
            return .success(String(path))
        }.get()
    }

    /// Why librdkafka cannot run here; nil if it can.
    package static func skipReason() async -> String? {
        do {
            _ = try await python()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
