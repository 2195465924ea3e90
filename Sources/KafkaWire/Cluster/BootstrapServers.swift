import Concurrency
import Foundation

/// Resolves the bootstrap servers according to `client.dns.lookup`.
enum BootstrapServers {
    /// The bootstrap servers' addresses; their canonical names if the setting requires them (KIP-235).
    ///
    /// DNS lookups run on a thread that may block.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled. A lookup in progress continues in the
    ///   background.
    static func addresses(_ configuration: ClientConfiguration) async throws -> [BrokerAddress] {
        let servers = configuration.bootstrapServers
        guard configuration.dnsLookup == .resolveCanonicalBootstrapServersOnly else { return servers }
        let lookup = Task<[BrokerAddress], any Error> {
            await DispatchQueue(label: "kafka bootstrap").value { canonical(servers) }
        }
        return try await lookup.valueUnlessCancelled()
    }

    /// Replaces each server by its canonical names. Keeps a server that can't be resolved; connecting to it reports
    /// why.
    private static func canonical(_ servers: [BrokerAddress]) -> [BrokerAddress] {
        var found: [BrokerAddress] = []
        for server in servers {
            let addresses = (try? SocketAddress.resolve(host: server.host, port: server.port)) ?? []
            let names = addresses.compactMap(\.canonicalName).map { BrokerAddress(host: $0, port: server.port) }
            for address in names.isEmpty ? [server] : names where !found.contains(address) { found.append(address) }
        }
        return found
    }
}
