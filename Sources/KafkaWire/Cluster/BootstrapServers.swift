import Concurrency
import Foundation

/// The bootstrap servers, resolved as `client.dns.lookup` says.
enum BootstrapServers {
    /// Asks DNS if canonical names are wanted (KIP-235), on a thread that may block.
    ///
    /// - Throws: `CancellationError` at once if the task is cancelled, though the resolver still works.
    static func addresses(_ configuration: ClientConfiguration) async throws -> [BrokerAddress] {
        let servers = configuration.bootstrapServers
        guard configuration.dnsLookup == .resolveCanonicalBootstrapServersOnly else { return servers }
        let lookup = Task<[BrokerAddress], any Error> {
            await DispatchQueue(label: "kafka bootstrap").value { canonical(servers) }
        }
        return try await lookup.valueUnlessCancelled()
    }

    /// Replaces each server by its canonical names. A server that can't be resolved stays, and the attempt to connect to
    /// it reports why.
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
