/// A Tansu broker on 127.0.0.1, run by `scripts/tansu.sh`: another implementation of Kafka's protocol, in memory. It
/// ends with the last reference to this object.
package final class TansuBroker: Sendable {
    package let bootstrap: String
    private let folder: ServerFolder

    private static let sharedBrokers = SharedServers<TansuBroker>()
    private static let installation = SharedServers<String?>()

    /// Why Tansu can't run here; nil if it can. Installs it if necessary.
    package static func skipReason() async -> String? {
        do {
            return try await installation.server("") {
                let result = try await run(Repository.script("tansu.sh"), ["install"], timeout: .seconds(300))
                return result.status == 0 ? nil : result.err
            }
        } catch {
            return "\(error)"
        }
    }

    /// Starts a broker.
    ///
    /// - Throws: `ProgramError` with the script's output.
    package static func start() async throws -> TansuBroker {
        try TansuBroker(folder: await ServerFolder(script: "tansu.sh", options: []))
    }

    /// The test process's shared broker. Do not stop or kill it.
    package static func shared() async throws -> TansuBroker {
        try await sharedBrokers.server("") { try await start() }
    }

    private init(folder: ServerFolder) throws {
        self.folder = folder
        bootstrap = try folder.line("bootstrap")
    }

    /// Kills the broker with SIGKILL. All its data is lost.
    package func kill() async throws { try await folder.command("kill") }

    /// Starts it again without data at the same port.
    package func startAgain() async throws { try await folder.command("start") }

    /// Stops the broker.
    package func shutDown() async throws { try await folder.remove() }
}
