import Foundation

/// A Postgres installation on this machine.
package struct PostgresHome: Sendable, Hashable, CustomStringConvertible {
    /// Its folder, which contains `bin/initdb`.
    package let path: String

    package var description: String { path }

    /// The installation in a folder; nil if there is none.
    package init?(path: String) {
        guard FileManager.default.isExecutableFile(atPath: path + "/bin/initdb") else { return nil }
        self.path = path
    }

    /// The server for all tests except those that use `all`: the environment's `POSTGRES_HOME`, otherwise the newest of
    /// the distribution, otherwise the one in `PATH`; nil if there is none.
    package static let standard: PostgresHome? = {
        let environment = ProcessInfo.processInfo.environment
        if let home = environment["POSTGRES_HOME"], !home.isEmpty { return PostgresHome(path: home) }
        let folder = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .sorted { $0.compare($1, options: .numeric) == .orderedDescending }
        let folders = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/.." }
        return (versions.map { "\(folder)/\($0)" } + folders).lazy.compactMap(PostgresHome.init).first
    }()

    /// The installations that the program must support equally: the standard one, and those of the environment's
    /// `POSTGRES_HOMES` (paths separated by colons).
    package static let all: [PostgresHome] = {
        let paths = (ProcessInfo.processInfo.environment["POSTGRES_HOMES"] ?? "").split(separator: ":").map(String.init)
        let homes = paths.compactMap(PostgresHome.init)
        return [standard].compactMap(\.self).filter { !homes.contains($0) } + homes
    }()
}
