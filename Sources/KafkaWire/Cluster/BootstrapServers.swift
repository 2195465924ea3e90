import Concurrency
import Foundation

/// The bootstrap servers, as `client.dns.lookup` has them connected to.
enum BootstrapServers {
    /// Asks DNS where the setting wants canonical names (KIP-235), on a thread that may block.
    static func addresses(_ configuration: ClientConfiguration) async -> [BrokerAddress] {
        let servers = configuration.bootstrapServers
        guard configuration.dnsLookup == .resolveCanonicalBootstrapServersOnly else { return servers }
        return await DispatchQueue(label: "kafka bootstrap").value { canonical(servers) }
    }

    /// Each server's canonical names in its place; one that can't be resolved stays, and is told of when it is connected
    /// to.
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
