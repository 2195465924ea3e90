import Concurrency
import TestSupport

/// Forwards bytes between clients and one server, and can cut all connections.
final class CuttingRelay: Sendable {
    private let relay: LoopbackRelay
    private let links = Lock<[ObjectIdentifier: LoopbackRelay.Link]>([:])

    var port: Int { relay.port }

    /// Binds a port. Connections to it wait for `start`.
    ///
    /// - Throws: `ProgramError` if the port is in use.
    init(port: Int? = nil) throws {
        relay = try LoopbackRelay(port: port)
    }

    func start(to serverPort: Int) {
        relay.start(
            to: serverPort,
            fromClient: { [self] link in
                links.withLock { $0[ObjectIdentifier(link)] = link }
                Self.forward(from: link.client, to: link.server)
                link.drop()
                _ = links.withLock { $0.removeValue(forKey: ObjectIdentifier(link)) }
            },
            fromServer: { link in
                Self.forward(from: link.server, to: link.client)
                link.drop()
            })
    }

    private static func forward(from source: Int32, to destination: Int32) {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while let count = LoopbackRelay.read(source, &chunk), LoopbackRelay.write(destination, chunk[..<count]) {}
    }

    /// Cuts all connections in both directions.
    ///
    /// - Returns: The number of connections.
    func cut() -> Int {
        let links = Array(links.withLock { $0.values })
        for link in links { link.drop() }
        return links.count
    }

    func close() { relay.close() }
}
