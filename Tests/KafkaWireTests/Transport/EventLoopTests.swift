import Concurrency
import Foundation
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Event loops", .timeLimit(.minutes(1)))
struct EventLoopTests {
    enum Kind: CaseIterable, Sendable {
        /// The system's best poller: epoll on Linux.
        case system
        case poll

        func loops(most: Int) -> EventLoops {
            switch self {
            case .system: EventLoops(most: most)
            case .poll: EventLoops(most: most) { () throws(SocketError) in PollPoller() }
            }
        }
    }

    private func connect(
        _ loops: EventLoops, _ fake: FakeCluster, host: String = "127.0.0.1", timeout: Duration = .seconds(30),
        resolve: @escaping @Sendable () throws(ResolutionError) -> [SocketAddress] = { () throws(ResolutionError) in []
        }
    ) throws -> BrokerConnection {
        try BrokerConnection(
            host: host, port: fake.port(of: 1), connectTimeout: timeout, maximumFrame: 1 << 28,
            pool: BufferPool(limit: 0), loops: loops, resolve: resolve)
    }

    private func ask(_ connection: BrokerConnection, _ topic: String = "t") async throws {
        let request = MetadataRequest(topics: [MetadataRequest.Topic(name: topic)], allowAutoTopicCreation: false)
        let frame = try await connection.send(timeout: .seconds(30)) { id in
            try request.requestFrame(version: 12, correlationID: id, clientID: "test")
        }
        let response = try MetadataRequest.decodeResponse(try #require(frame), version: 12)
        #expect(response.topics.map(\.name) == [topic])
    }

    @Test("one loop serves many connections, and ends with the last of them", arguments: Kind.allCases)
    func many(kind: Kind) async throws {
        let fake = try FakeCluster()
        let loops = kind.loops(most: 1)
        let connections = try (0..<100).map { _ in try connect(loops, fake) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, connection) in connections.enumerated() {
                group.addTask {
                    for round in 0..<10 { try await ask(connection, "topic-\(index)-\(round)") }
                }
            }
            try await group.waitForAll()
        }
        #expect(fake.count(.metadata) == 1000)
        #expect(loops.count == 1)
        for connection in connections { connection.close() }
        try await eventually("the loop has ended") { loops.count == 0 }
        // A later connection gets another loop.
        let later = try connect(loops, fake)
        try await ask(later)
        later.close()
        await fake.close()
    }

    @Test("connections are distributed over the loops, and released ones leave room", arguments: Kind.allCases)
    func spread(kind: Kind) async throws {
        let fake = try FakeCluster()
        let loops = kind.loops(most: 3)
        var connections: [BrokerConnection] = []
        for count in 1...7 {
            connections.append(try connect(loops, fake))
            #expect(loops.count == min(count, 3))
        }
        connections = []
        try await eventually("all loops have ended") { loops.count == 0 }
        await fake.close()
    }

    @Test("connections are opened and closed on one loop while others are in use", arguments: Kind.allCases)
    func churn(kind: Kind) async throws {
        let fake = try FakeCluster()
        let loops = kind.loops(most: 1)
        let lasting = try connect(loops, fake)
        try await ask(lasting)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    // Each reuses the descriptor of a connection that was just closed.
                    for _ in 0..<25 {
                        let connection = try connect(loops, fake)
                        try await ask(connection)
                        connection.close()
                    }
                }
            }
            group.addTask { for _ in 0..<200 { try await ask(lasting) } }
            try await group.waitForAll()
        }
        #expect(lasting.closed == nil)
        lasting.close()
        await fake.close()
    }

    @Test("after a refused address the next one is tried, on the same descriptor", arguments: Kind.allCases)
    func nextAddress(kind: Kind) async throws {
        let fake = try FakeCluster()
        let addresses = [
            try SocketAddress.resolve(host: "::1", port: fake.port(of: 1)),
            try SocketAddress.resolve(host: "127.0.0.1", port: fake.port(of: 1)),
        ].flatMap { $0 }
        let loops = kind.loops(most: 1)
        let connection = try connect(loops, fake, host: "name") { () throws(ResolutionError) in addresses }
        try await ask(connection)
        connection.close()
        await fake.close()
    }

    @Test("a blocking resolver delays no other connection of its loop")
    func blockingResolver() async throws {
        let fake = try FakeCluster()
        let loops = EventLoops(most: 1)
        let isOver = DispatchSemaphore(value: 0)
        let blocked = try connect(loops, fake, host: "name") { () throws(ResolutionError) in
            isOver.wait()
            return []
        }
        let other = try connect(loops, fake)
        try await ask(other)
        #expect(blocked.closed == nil && loops.count == 1)
        // A connection that is closed meanwhile doesn't wait for its resolver.
        blocked.close()
        try await eventually("it is closed") { blocked.closed != nil }
        isOver.signal()
        other.close()
        await fake.close()
    }

    @Test("a resolver that doesn't answer fails the connection attempt in time, with an explanation")
    func silentResolver() async throws {
        let fake = try FakeCluster()
        let isOver = DispatchSemaphore(value: 0)
        let connection = try connect(EventLoops(most: 1), fake, host: "name", timeout: .milliseconds(50)) {
            () throws(ResolutionError) in
            isOver.wait()
            return []
        }
        let error = await #expect(throws: KafkaError.self) { try await ask(connection) }
        #expect(error?.message == "the host name name can't be resolved: the resolver doesn't answer")
        #expect(error?.connectionFailure == .unresolved)
        isOver.signal()
        await fake.close()
    }

    @Test("a connection that receives continuously doesn't delay the others of its loop", arguments: Kind.allCases)
    func fairness(kind: Kind) async throws {
        let fake = try FakeCluster()
        let loops = kind.loops(most: 1)
        let flood = try Flood()
        let busy = try BrokerConnection(
            host: "127.0.0.1", port: flood.port, connectTimeout: .seconds(30), maximumFrame: Int(Int32.max),
            pool: BufferPool(limit: 0), loops: loops
        ) { () throws(ResolutionError) in [] }
        let other = try connect(loops, fake)
        // The response is 2 GB, so the socket is always readable.
        let answer = Task {
            try await busy.send(timeout: .seconds(50)) { id in
                try MetadataRequest(topics: []).requestFrame(version: 12, correlationID: id, clientID: "test")
            }
        }
        try await eventually("the answer comes") { flood.isRunning }
        for _ in 0..<20 { try await ask(other) }
        #expect(flood.isRunning)
        busy.close()
        _ = await answer.result
        other.close()
        flood.close()
        await fake.close()
    }

    @Test("closing doesn't wait for the poller's timeout", arguments: Kind.allCases)
    func closing(kind: Kind) async throws {
        let fake = try FakeCluster()
        let loops = kind.loops(most: 1)
        for _ in 0..<50 {
            let connection = try connect(loops, fake)
            try await ask(connection)
            connection.close()
            try await eventually("the loop has ended", within: .seconds(5)) { loops.count == 0 }
        }
        await fake.close()
    }
}

/// A server that answers the first bytes of a connection with a frame of 2 GB, as fast as the client reads it.
private final class Flood: Sendable {
    let port: UInt16
    private let descriptor: Int32
    private let state = Lock((isRunning: false, isClosed: false, hasEnded: false))

    init() throws {
        let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            // The address is a sockaddr_in, as its family says, and the calls read and write within its size.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { common -> UInt16? in
                guard unsafe bind(listening, common, size) == 0, listen(listening, 1) == 0,
                    unsafe getsockname(listening, common, &size) == 0
                else { return nil }
                return unsafe UnsafeRawPointer(common).load(fromByteOffset: 2, as: UInt16.self).bigEndian
            }
        }
        self.port = try #require(port)
        descriptor = listening
        try #require(startThread(name: "flood") { self.run() })
    }

    var isRunning: Bool { state.withLock { $0.isRunning } }

    func close() {
        state.withLock { state in
            state.isClosed = true
            // After the thread has closed it, the descriptor may be a socket of another test.
            if !state.hasEnded { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private func run() {
        defer {
            state.withLock { state in
                state.hasEnded = true
                Foundation.close(descriptor)
            }
        }
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else { return }
        defer { Foundation.close(connection) }
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        guard unsafe recv(connection, &chunk, chunk.count, 0) > 0 else { return }
        for (index, byte) in [UInt8](arrayLiteral: 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0).enumerated() {
            chunk[index] = byte
        }
        var sent = 0
        while sent < Int(Int32.max), !state.withLock({ $0.isClosed }) {
            let count = unsafe send(connection, chunk, chunk.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { break }
            if sent == 0 { for index in 0..<8 { chunk[index] = 0 } }
            sent += count
            state.withLock { $0.isRunning = true }
        }
        state.withLock { $0.isRunning = false }
    }
}
