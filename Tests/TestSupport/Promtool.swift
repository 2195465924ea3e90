import Foundation

/// Prometheus' own checker, which `scripts/promtool.sh install` brings.
package enum Promtool {
    private static let path: String? = {
        let own = Repository.root.appending(path: ".build/promtool/usr/bin/promtool").path
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return ([own] + folders.map { "\($0)/promtool" }).first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    package static var isAvailable: Bool { path != nil }

    /// Why tests that need it are left out if it isn't available.
    package static let skipReason = "no promtool here: run scripts/promtool.sh install"

    /// - Throws: `ProgramError` if it isn't there.
    package static func run(_ arguments: [String], input: String = "") async throws -> ProgramResult {
        guard let path else { throw ProgramError(skipReason) }
        return try await TestSupport.run(path, arguments, input: input)
    }
}
