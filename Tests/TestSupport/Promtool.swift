import Foundation

/// Prometheus' own checker, installed by `scripts/promtool.sh install`.
package enum Promtool {
    private static let path: String? = {
        let own = Repository.root.appending(path: ".build/promtool/usr/bin/promtool").path
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return ([own] + folders.map { "\($0)/promtool" }).first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    package static var isAvailable: Bool { path != nil }

    /// Why tests that need it are skipped if it is not available.
    package static let skipReason = "no promtool found: run scripts/promtool.sh install"

    /// - Throws: `ProgramError` if it is not installed.
    package static func run(_ arguments: [String], input: String = "") async throws -> ProgramResult {
        guard let path else { throw ProgramError(skipReason) }
        return try await TestSupport.run(path, arguments, input: input)
    }
}
