import Foundation

/// A pgbouncer on 127.0.0.1 in front of a server, in transaction mode: a client gets one of the server's sessions for
/// one transaction. It ends with the last reference to this object.
package final class Pgbouncer: Sendable {
    /// The URI of the server's database `workshop` through the pool.
    package let uri: String
    private let program: RunningProgram
    private let folder: TemporaryFolder

    /// Debian installs it in a folder that is not in every user's `PATH`.
    private static let path: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (folders + ["/usr/sbin"]).map { $0 + "/pgbouncer" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    package static var isAvailable: Bool { path != nil }

    /// Why tests that need it are skipped if it is not available.
    package static let skipReason = "no pgbouncer found: install it (on Debian: apt-get install pgbouncer)"

    private init(uri: String, program: RunningProgram, folder: TemporaryFolder) {
        (self.uri, self.program, self.folder) = (uri, program, folder)
    }

    /// Starts it and waits until it accepts connections.
    ///
    /// - Parameter poolSize: The number of server sessions that all clients share.
    /// - Throws: `ProgramError` with its output.
    package static func start(before server: PostgresServer, poolSize: Int) async throws -> Pgbouncer {
        guard let path else { throw ProgramError(skipReason) }
        let folder = try TemporaryFolder()
        // It refuses to run as root, and the other user has to read its file.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.url.path)
        let configuration = folder.url.appending(path: "pgbouncer.ini")
        let port = try freePort()
        try """
        [databases]
        * = host=127.0.0.1 port=\(server.port) user=postgres
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = \(port)
        unix_socket_dir =
        auth_type = any
        pool_mode = transaction
        default_pool_size = \(poolSize)
        """.write(to: configuration, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: configuration.path)
        let user = geteuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] : []
        let command = user + [path, configuration.path]
        let program = try await RunningProgram.start(command[0], Array(command.dropFirst()))
        let pool = Pgbouncer(
            uri: "postgresql://postgres@127.0.0.1:\(port)/workshop", program: program, folder: folder)
        try await eventually("pgbouncer accepts connections") {
            guard program.isRunning else { throw ProgramError("pgbouncer has ended: \(try program.errors())") }
            return try await run("psql", ["--no-psqlrc", "-qAt", "-d", pool.uri, "-c", "SELECT 1"]).status == 0
        }
        return pool
    }

    /// Kills it.
    package func close() async throws {
        program.signal(SIGKILL)
        _ = try await program.result()
    }
}
