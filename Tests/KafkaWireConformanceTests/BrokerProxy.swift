import Foundation
import Synchronization
import TestSupport

#if os(Linux)
    private let streamType = Int32(SOCK_STREAM.rawValue)
    private let sendFlags = Int32(MSG_NOSIGNAL)
#else
    private let streamType = SOCK_STREAM
    private let sendFlags: Int32 = 0
#endif

private func makeSocket() -> Int32 { socket(AF_INET, streamType, 0) }
// The class has a method of the function's name.
private func closeSocket(_ descriptor: Int32) { _ = close(descriptor) }

/// Stands between a client and a broker. While it misbehaves it passes bytes on in pieces of any size, holds some of
/// them back for a while, and cuts a connection now and then, between any two bytes. Nothing is reordered.
final class BrokerProxy: Sendable {
    private struct State {
        var misbehaves = false
        var cuts = 0
        var random: UInt64
    }

    let port: Int
    private let listener: Int32
    private let state: Mutex<State>

    /// How many connections were cut.
    var cutCount: Int { state.withLock { $0.cuts } }

    /// Takes a port; connections to it wait for `start`.
    init(seed: UInt64) throws {
        port = try freePort()
        listener = makeSocket()
        state = Mutex(State(random: seed))
        var on: Int32 = 1
        unsafe setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard unsafe Self.withAddress(port, { unsafe bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw ProgramError("the proxy can't listen at port \(port)")
        }
    }

    /// Serves connections until `close()`. Each direction of each has a thread, since both block.
    func start(to brokerPort: Int) {
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                let broker = makeSocket()
                guard unsafe Self.withAddress(brokerPort, { unsafe connect(broker, $0, $1) }) == 0 else {
                    closeSocket(client)
                    closeSocket(broker)
                    continue
                }
                for descriptor in [client, broker] {
                    var on: Int32 = 1
                    // A small piece is to be a packet of its own.
                    unsafe setsockopt(
                        descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                }
                let link = Link(client: client, broker: broker)
                Thread.detachNewThread { self.forward(from: client, to: broker, link) }
                Thread.detachNewThread { self.forward(from: broker, to: client, link) }
            }
        }
    }

    func misbehave(_ misbehaves: Bool) {
        state.withLock { $0.misbehaves = misbehaves }
    }

    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        closeSocket(listener)
    }

    private func forward(from source: Int32, to target: Int32, _ link: Link) {
        defer {
            link.cut()
            link.release()
        }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe recv(source, &chunk, chunk.count, 0)
            guard count > 0, pass(chunk[..<count], to: target) else { return }
        }
    }

    /// What is done with the next bytes.
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

    /// - Returns: Whether the connection goes on.
    private func pass(_ bytes: ArraySlice<UInt8>, to target: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let treatment = treatment()
            if treatment.isCut { return false }
            if treatment.delay > 0 { Thread.sleep(forTimeInterval: treatment.delay) }
            let piece = rest.prefix(treatment.piece)
            let count = unsafe piece.withUnsafeBytes { unsafe send(target, $0.baseAddress, $0.count, sendFlags) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// A client's and a broker's socket; closed when both threads have let go.
    private final class Link: Sendable {
        private let descriptors: [Int32]
        private let users = Mutex(2)

        init(client: Int32, broker: Int32) {
            descriptors = [client, broker]
        }

        func cut() {
            for descriptor in descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }

        func release() {
            let isLast = users.withLock { users in
                users -= 1
                return users == 0
            }
            if isLast { for descriptor in descriptors { closeSocket(descriptor) } }
        }
    }

    private static func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        // The calls take any family's address by a pointer to the common beginning, and read the size given.
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe body(pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
