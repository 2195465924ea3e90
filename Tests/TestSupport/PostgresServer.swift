import Foundation

/// A Postgres server on 127.0.0.1, run by `scripts/postgres.sh`. It ends with the last reference to this object.
package final class PostgresServer: Sendable {
    /// The URI of the database `workshop`, for the superuser `postgres`; it needs no password.
    package let uri: String
    package let port: Int
    private let folder: ServerFolder

    private static let sharedServers = SharedServers<PostgresServer>()

    /// Whether the server's programs are installed on this machine.
    package static var isAvailable: Bool { PostgresHome.standard != nil }

    /// Why tests that need Postgres are skipped if it is not available.
    package static let skipReason = "no Postgres server found: install it (on Debian: apt-get install postgresql)"

    /// Starts a server and waits until it accepts connections.
    ///
    /// - Parameters:
    ///   - home: The installation; nil for the standard one.
    ///   - settings: Server settings by Postgres's names.
    /// - Throws: `ProgramError` with the script's output.
    package static func start(
        _ home: PostgresHome? = nil, settings: [String: String] = [:]
    ) async throws -> PostgresServer {
        var options: [String] = []
        for (name, value) in settings { options += ["--set", "\(name)=\(value)"] }
        let environment = home.map { ["POSTGRES_HOME": $0.path] } ?? [:]
        return try PostgresServer(
            folder: await ServerFolder(script: "postgres.sh", options: options, environment: environment))
    }

    /// The test process's shared server. Do not stop or kill it; use a separate schema or database for each test.
    package static func shared() async throws -> PostgresServer {
        try await sharedServers.server("") { try await start() }
    }

    private init(folder: ServerFolder) throws {
        self.folder = folder
        uri = try folder.line("uri")
        guard let port = Int(try folder.line("port")) else { throw ProgramError("postgres.sh left no port") }
        self.port = port
    }

    /// Creates a database and returns its URI.
    package func makeDatabase(_ name: String) async throws -> String {
        _ = try await psql("CREATE DATABASE \"\(name)\"")
        return "postgresql://postgres@127.0.0.1:\(port)/\(name)"
    }

    /// Runs SQL with psql and returns its rows, unaligned, with `|` between the columns.
    ///
    /// - Throws: `ProgramError` with the server's message.
    package func psql(_ sql: String, database: String? = nil) async throws -> [String] {
        let arguments = ["--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", database ?? uri, "-f", "-"]
        let result = try await run("psql", arguments, input: sql, timeout: .seconds(120))
        guard result.status == 0 else { throw ProgramError("psql: \(result.err)") }
        return result.out.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }

    /// Kills all of the server's processes with SIGKILL, as a crash would.
    package func kill() async throws { try await folder.command("kill") }

    /// Stops the server, which closes its connections.
    package func stop() async throws { try await folder.command("down") }

    /// Stops the server as in a crash, by Postgres's immediate shutdown: the next start recovers from the log.
    package func stopImmediately() async throws { try await folder.command("abort") }

    /// Starts it again at the same port.
    package func startAgain() async throws { try await folder.command("start") }

    /// The server's log.
    package var log: URL { folder.url.appending(path: "log") }

    /// Stops the server and removes its data.
    package func shutDown() async throws { try await folder.remove() }
}
