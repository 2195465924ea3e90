import Foundation

/// A server that one of the repository's scripts runs in a separate folder.
///
/// `remove()` stops the server and removes the folder, and so does the deinitializer. If the test process is killed or
/// ends while a shared server runs, the script's guard does the same: with `--owner` the script starts a small process
/// in its own session that checks twice per second whether the test process still runs, by its id and start time.
final class ServerFolder: Sendable {
    let script: String
    let url: URL

    /// Runs the script's `up`.
    ///
    /// - Throws: `ProgramError` with the script's output if the server does not start.
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

    /// Runs another of the script's commands on the folder.
    func command(_ command: String, _ arguments: [String] = [], environment: [String: String] = [:]) async throws {
        let result = try await run(
            script, [command, url.path] + arguments, environment: environment, timeout: .seconds(300))
        guard result.status == 0 else {
            throw ProgramError("\(script) \(command) ended with \(result.status): \(result.err)")
        }
    }

    /// Reads a one-line file that the script wrote into the folder.
    func line(_ file: String) throws -> String {
        try String(contentsOf: url.appending(path: file), encoding: .utf8).trimmingCharacters(in: .newlines)
    }

    func remove() async throws {
        try await command("remove")
    }
}

/// Servers that the whole test process shares. Each starts when a test first requests it. A failed start is not
/// retried.
package actor SharedServers<Server: Sendable> {
    private var servers: [String: Task<Server, any Error>] = [:]

    package init() {}

    package func server(_ key: String, start: @escaping @Sendable () async throws -> Server) async throws -> Server {
        let task = servers[key] ?? Task { try await start() }
        servers[key] = task
        return try await task.value
    }
}
