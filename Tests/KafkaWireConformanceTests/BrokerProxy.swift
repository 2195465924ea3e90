import Foundation
import Synchronization
import TestSupport

/// A proxy between clients and a broker. While it misbehaves, it forwards bytes in pieces of random size, delays some
/// pieces, and occasionally cuts a connection between any two bytes. It never reorders bytes.
final class BrokerProxy: Sendable {
    private struct State {
        var misbehaves = false
        var cuts = 0
        var random: UInt64
    }

    private let relay: LoopbackRelay
    private let state: Mutex<State>

    var port: Int { relay.port }

    /// The number of connections that were cut.
    var cutCount: Int { state.withLock { $0.cuts } }

    /// Binds a port. Connections to it wait for `start`.
    init(seed: UInt64) throws {
        relay = try LoopbackRelay()
        state = Mutex(State(random: seed))
    }

    /// Serves connections until `close()`.
    func start(to brokerPort: Int) {
        relay.start(
            to: brokerPort, fromClient: { [self] in forward(from: $0.client, to: $0.server, $0) },
            fromServer: { [self] in forward(from: $0.server, to: $0.client, $0) })
    }

    func misbehave(_ misbehaves: Bool) {
        state.withLock { $0.misbehaves = misbehaves }
    }

    func close() {
        relay.close()
    }

    private func forward(from source: Int32, to target: Int32, _ link: LoopbackRelay.Link) {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while let count = LoopbackRelay.read(source, &chunk), pass(chunk[..<count], to: target) {}
        link.drop()
    }

    /// How to forward the next bytes.
    private struct Treatment {
        var piece = Int.max
        var delay = 0.0
        var isCut = false
    }

    private func treatment() -> Treatment {
        state.withLock { state in
            guard state.misbehaves else { return Treatment() }
            func chance(_ below: UInt64) -> UInt64 {
                state.random = state.random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return (state.random >> 33) % below
            }
            var treatment = Treatment()
            treatment.piece = Int(1 + chance(chance(4) == 0 ? 8 : 400))
            if chance(20) == 0 { treatment.delay = Double(chance(20)) / 1000 }
            if chance(2000) == 0 {
                treatment.isCut = true
                state.cuts += 1
            }
            return treatment
        }
    }

    /// Forwards bytes.
    ///
    /// - Returns: Whether the connection continues.
    private func pass(_ bytes: ArraySlice<UInt8>, to target: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let treatment = treatment()
            if treatment.isCut { return false }
            if treatment.delay > 0 { Thread.sleep(forTimeInterval: treatment.delay) }
            let piece = rest.prefix(treatment.piece)
            guard LoopbackRelay.write(target, piece) else { return false }
            rest = rest.dropFirst(piece.count)
        }
        return true
    }
}
