import Foundation
import PGWire
import TestSupport
import Testing

/// Outcomes of attempts to connect.
@Suite(needsPostgres) struct ConnectingTests {
    @Test func refusedPort() async throws {
        let port = try freePort()
        let error = try await postgresError {
            _ = try await PostgresConnection.connect(to: "postgresql://postgres:sesame@127.0.0.1:\(port)/workshop")
        }
        #expect(error.kind == .connect && error.isTransient && error.sqlState == nil)
        #expect(error.message.contains("Connection refused"))
        #expect(!"\(error)".contains("sesame"))
    }

    @Test func unknownDatabase() async throws {
        let server = try await PostgresServer.shared()
        let error = try await postgresError {
            _ = try await PostgresConnection.connect(to: "postgresql://postgres@127.0.0.1:\(server.port)/nowhere")
        }
        #expect(error.kind == .connect && error.sqlState == "3D000" && !error.isTransient, "\(error)")
        #expect(error.message.hasSuffix("failed: FATAL: database \"nowhere\" does not exist"))
    }

    /// A server that requires a password from the user `secretive`.
    @Test func wrongPassword() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pgwire-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let rules = folder.appending(path: "hba.conf")
        try "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
            .write(to: rules, atomically: false, encoding: .utf8)
        // The server runs as another user.
        for (path, mode) in [(folder.path(), 0o755), (rules.path(), 0o644)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
        let server = try await PostgresServer.start(settings: ["hba_file": rules.path()])
        _ = try await server.psql("CREATE ROLE secretive LOGIN PASSWORD 'open sesame'")
        let address = "127.0.0.1:\(server.port)/workshop"

        let wrong = try await postgresError {
            _ = try await PostgresConnection.connect(to: "postgresql://secretive:swordfish@\(address)")
        }
        #expect(wrong.kind == .connect && wrong.sqlState == "28P01" && !wrong.isTransient)
        #expect(!"\(wrong) \(String(reflecting: wrong))".contains("swordfish"))
        let missing = try await postgresError {
            _ = try await PostgresConnection.connect(
                to: "postgresql://secretive@\(address)", options: ["passfile": folder.appending(path: "none").path()])
        }
        #expect(missing.kind == .connect && !missing.isTransient)
        let connection = try await PostgresConnection.connect(
            to: "postgresql://secretive@\(address)", options: ["password": "open sesame"], applicationName: "lamp")
        let row = try await connection.query("SELECT current_user, current_setting('application_name')").onlyRow
        #expect(row.values == ["secretive", "lamp"])
        await connection.close()
        try await server.shutDown()
    }

    /// Accepts connections but never answers.
    @Test func silentServer() async throws {
        let listener = try SilentListener()
        let uri = "postgresql://postgres@127.0.0.1:\(listener.port)/workshop"
        let error = try await postgresError {
            _ = try await PostgresConnection.connect(to: uri, options: ["connect_timeout": "1"])
        }
        #expect(error.kind == .connect && error.message == "no answer within 1 seconds")

        let next = try SilentListener()
        let attempt = Task {
            try await PostgresConnection.connect(to: "postgresql://postgres@127.0.0.1:\(next.port)/workshop")
        }
        try await eventually("the attempt begins") { next.hasCaller }
        attempt.cancel()
        let cancelled = try await postgresError { _ = try await attempt.value }
        #expect(cancelled.kind == .cancelled)
    }

    @Test(.enabled(if: hasProc, "threads and descriptors are looked up in /proc, which isn't here"))
    func threadAndSocketEndWithTheConnection() async throws {
        let connection = try await connectToSchema("resources")
        let thread = try await connection.transaction { _ in try currentThread() }
        let again = try await connection.transaction { _ in try currentThread() }
        #expect(thread == again)
        let port = try await connection.query("SELECT inet_client_port()").onlyRow.decode(0, as: Int.self)
        #expect(FileManager.default.fileExists(atPath: thread))
        let before = try openSockets(localPort: port)
        #expect(before == 1)
        await connection.close()
        try await eventually("the connection's thread ends") { !FileManager.default.fileExists(atPath: thread) }
        #expect(try openSockets(localPort: port) == 0)
        #expect(connection.isBroken)
        let status = await connection.status
        #expect(status == .closed)
        let error = try await postgresError { try await connection.execute("SELECT 1") }
        #expect(error.kind == .usage)
    }

    @Test(.enabled(if: hasProc, "threads are looked up in /proc, which isn't here"))
    func forgottenConnectionEnds() async throws {
        let thread: String
        do {
            let connection = try await connectToSchema("forgotten")
            thread = try await connection.transaction { _ in try currentThread() }
        }
        try await eventually("the connection's thread ends") { !FileManager.default.fileExists(atPath: thread) }
    }
}

private let hasProc = FileManager.default.fileExists(atPath: "/proc/thread-self")

/// The calling thread's folder in /proc.
private func currentThread() throws -> String {
    "/proc/" + (try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self"))
}

/// The number of this process's TCP sockets with this local port.
private func openSockets(localPort: Int) throws -> Int {
    let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
    return descriptors.filter { descriptor in
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // The call writes at most an address of this size.
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe getsockname(descriptor, pointer, &size)
            }
        }
        return status == 0 && address.sin_family == sa_family_t(AF_INET)
            && Int(UInt16(bigEndian: address.sin_port)) == localPort
    }.count
}
