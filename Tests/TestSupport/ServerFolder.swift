import Foundation

/// A server that one of the repository's scripts runs, in a folder of its own.
///
/// Nothing is left behind: `remove()` ends the server and removes the folder, and so does the last reference that goes.
/// Where neither comes about, since the test process was killed or has ended with a shared server still up, the
/// script's guard does it: `--owner` has the script start a small process, in a session of its own, that looks twice a
/// second whether the test process (by its id and start time) still runs.
final class ServerFolder: Sendable {
    let script: String
    let url: URL

    /// Runs the script's `up`.
    ///
    /// - Throws: `ProgramError` with what the script wrote where the server doesn't start.
    init(script: String, options: [String], environment: [String: String] = [:]) async throws {
        self.script = Repository.script(script)
        url = try TemporaryFolder.make()
        let owner = String(ProcessInfo.processInfo.processIdentifier)
        do {
            try await command("up", options + ["--owner", owner], environment: environment)
        } catch {
            try? await command("remove")
            try? FileManager.default.removeItem(at: url)
            throw error
        }
    }

    deinit {
        guard FileManager.default.fileExists(atPath: url.path) else { return }
        // The script must finish even if this process ends first.
        guard let null = try? FileHandle(forUpdating: URL(filePath: "/dev/null")) else { return }
        withExtendedLifetime(null) {
            let descriptors = (null.fileDescriptor, null.fileDescriptor, null.fileDescriptor)
            _ = try? ChildProcess(script, ["remove", url.path], descriptors: descriptors, outlivesTests: true)
        }
    }

    /// Runs one of the script's other commands on the folder.
    func command(_ command: String, _ arguments: [String] = [], environment: [String: String] = [:]) async throws {
        let result = try await run(
            script, [command, url.path] + arguments, environment: environment, timeout: .seconds(300))
        guard result.status == 0 else {
            throw ProgramError("\(script) \(command) ended with \(result.status): \(result.err)")
        }
    }

    /// A file of one line that the script left.
    func line(_ file: String) throws -> String {
        try String(contentsOf: url.appending(path: file), encoding: .utf8).trimmingCharacters(in: .newlines)
    }

    func remove() async throws {
        try await command("remove")
    }
}

/// Servers that a whole test process shares: each is started when a test first asks for it. A start that failed isn't
/// tried again.
package actor SharedServers<Server: Sendable> {
    private var servers: [String: Task<Server, any Error>] = [:]

    package init() {}

    package func server(_ key: String, start: @escaping @Sendable () async throws -> Server) async throws -> Server {
        let task = servers[key] ?? Task { try await start() }
        servers[key] = task
        return try await task.value
    }
}
