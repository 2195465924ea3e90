import Concurrency
import Foundation
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Connections of a client", .timeLimit(.minutes(1)))
struct ConnectionTests {
    /// Collects the connection hooks' events.
    private final class Log: Sendable {
        private let lines = Lock<[String]>([])

        var hooks: ClientHooks {
            var hooks = ClientHooks()
            hooks.connected = { self.add($0.error == nil ? "connected" : "failed") }
            hooks.disconnected = { event in
                switch event.reason {
                case .closed: self.add("closed")
                case .idle: self.add("idle")
                case .failed: self.add("broke")
                }
            }
            hooks.availabilityChanged = { change in
                if case .lost = change { self.add("lost") } else { self.add("back") }
            }
            return hooks
        }

        private func add(_ line: String) { lines.withLock { $0.append(line) } }

        var all: [String] { lines.withLock { $0 } }
    }

    // MARK: Idle connections

    @Test("an idle connection is closed without being reported as lost, and is reopened when needed")
    func idle() async throws {
        let log = Log()
        try await withFake(properties: ["connections.max.idle.ms": "200"], hooks: log.hooks) { fake, cluster in
            let connection = try await cluster.anyConnection()
            try await eventually("it is closed") { !connection.isUsable }
            try await eventually("hooks are notified") { log.all == ["connected", "idle"] }
            fake.createTopic("t")
            // Retried, because on a busy machine the new connection may become idle too.
            let topics = try await cluster.retrying(operation: "test") { try await cluster.describe(topics: ["t"]) }
            #expect(topics.count == 1)
            #expect(log.all.prefix(3) == ["connected", "idle", "connected"])
            #expect(!log.all.contains("lost"))
        }
    }

    @Test("a member that leaves its group closes the connection that only it used")
    func groupConnection() async throws {
        let open = Lock(0)
        var hooks = ClientHooks()
        hooks.connected = { event in
            if event.role == .group, event.error == nil { open.withLock { $0 += 1 } }
        }
        hooks.disconnected = { event in
            if event.role == .group { open.withLock { $0 -= 1 } }
        }
        try await withFake(properties: ["group.id": "g"], hooks: hooks) { fake, cluster in
            fake.createTopic("t")
            for _ in 0..<3 {
                let consumer = KafkaConsumer(cluster: cluster, offsetReset: .earliest)
                try await consumer.subscribe(to: .topics(["t"]))
                try await eventually("it is a member") { consumer.assignment.count == 1 }
                #expect(open.withLock { $0 } == 1)
                await consumer.close()
                try await eventually("it is closed") { open.withLock { $0 } == 0 }
            }
        }
    }

    @Test("a connection with a request in flight isn't idle, however long the response takes")
    func busy() async throws {
        let log = Log()
        try await withFake(properties: ["connections.max.idle.ms": "20"], hooks: log.hooks) { fake, cluster in
            fake.inject(.held, into: .metadata)
            let answer = Task {
                // Retried, because on a busy machine the new connection may become idle before the request. The
                // client's own retry doesn't help here: it refreshes the metadata first, which is another request.
                while true {
                    do {
                        let connection = try await cluster.anyConnection()
                        _ = try await connection.call(MetadataRequest(topics: []), timeout: .seconds(3600))
                        return
                    } catch let error as KafkaError where error.isRetriable && fake.count(.metadata) == 0 {
                        continue
                    }
                }
            }
            try await eventually("the request is in flight") { fake.count(.metadata) == 1 }
            let before = log.all
            // Ten times the idle limit, so that a faulty client closes the connection.
            try await Task.sleep(for: .milliseconds(200))
            #expect(log.all == before)
            fake.releaseAnswers()
            try await answer.value
            #expect(fake.count(.metadata) == 1)
            try await eventually("it is closed afterwards") { log.all == before + ["idle"] }
        }
    }

    @Test("hooks distinguish a closed client from a broken connection")
    func ends() async throws {
        let log = Log()
        try await withFake(hooks: log.hooks) { fake, cluster in
            _ = try await cluster.anyConnection()
            fake.hangUp(broker: 1)
            try await eventually("the client notices") { log.all == ["connected", "broke"] }
            _ = try await cluster.anyConnection()
            await cluster.close()
            try await eventually("hooks are notified") { log.all == ["connected", "broke", "connected", "closed"] }
        }
    }

    // MARK: Cancellation

    @Test("a cancelled caller stops waiting for a connection immediately, and the others get it")
    func cancellation() async throws {
        try await withFake { fake, cluster in
            fake.inject(.held, into: .apiVersions)
            let first = Task { try await cluster.anyConnection() }
            try await eventually("the attempt is in progress") { fake.count(.apiVersions) == 1 }
            let second = Task { try await cluster.anyConnection() }
            let third = Task { try await cluster.anyConnection() }
            first.cancel()
            second.cancel()
            // They end although the broker doesn't respond.
            for task in [first, second] {
                await #expect(throws: CancellationError.self) { _ = try await task.value }
            }
            fake.releaseAnswers()
            #expect(try await third.value.isUsable)
            #expect(fake.count(.apiVersions) == 1)
        }
    }

    @Test("a cancelled caller stops waiting for metadata immediately, and the next caller requests it again")
    func cancelledRefresh() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            _ = try await cluster.anyConnection()
            fake.inject(.held, into: .metadata)
            let first = Task { try await cluster.describe(topics: ["t"]) }
            try await eventually("the request is in progress") { fake.count(.metadata) == 1 }
            first.cancel()
            // It ends although the broker doesn't respond.
            await #expect(throws: CancellationError.self) { _ = try await first.value }
            fake.releaseAnswers()
            #expect(try await cluster.describe(topics: ["t"]).first?.partitions.count == 1)
            fake.createTopic("u")
            #expect(try await cluster.describe(topics: ["u"]).count == 1)
        }
    }

    @Test("closing the client fails connection attempts, with an error that says so")
    func closing() async throws {
        try await withFake { fake, cluster in
            fake.inject(.silence, into: .apiVersions)
            let attempt = Task { try await cluster.anyConnection() }
            try await eventually("the attempt is in progress") { fake.count(.apiVersions) == 1 }
            await cluster.close()
            let error = await #expect(throws: KafkaError.self) { _ = try await attempt.value }
            #expect(error?.message.contains("the client is closed") == true)
        }
    }

    // MARK: Addresses

    private func connect(to addresses: [SocketAddress], timeout: Duration) throws -> BrokerConnection {
        try BrokerConnection(
            host: "name", port: 1, connectTimeout: timeout, maximumFrame: 1 << 20, pool: BufferPool(limit: 0)
        ) { () throws(ResolutionError) in addresses }
    }

    private func asks(_ connection: BrokerConnection) async throws -> Bool {
        let request = MetadataRequest(topics: [], allowAutoTopicCreation: false)
        let answer = try await connection.send(timeout: .seconds(10)) { id in
            try request.requestFrame(version: 12, correlationID: id, clientID: "test")
        }
        return answer != nil
    }

    @Test("a silent address times out, and then the next one is tried")
    func silentAddress() async throws {
        let fake = try FakeCluster()
        let silent = try SilentListener(host: "127.0.0.1", isFull: true)
        let addresses = [
            try SocketAddress.resolve(host: "127.0.0.1", port: silent.port),
            try SocketAddress.resolve(host: "127.0.0.1", port: fake.port(of: 1)),
        ].flatMap { $0 }
        let connection = try connect(to: addresses, timeout: .milliseconds(150))
        let before = ContinuousClock.now
        #expect(try await asks(connection))
        #expect(.now - before >= .milliseconds(140))
        connection.close()
        await fake.close()
    }

    @Test("a host with a dead IPv6 address and a working IPv4 address is reached, in either order")
    func twoFamilies() async throws {
        let fake = try FakeCluster()
        let dead = try SocketAddress.resolve(host: "::1", port: fake.port(of: 1))
        let living = try SocketAddress.resolve(host: "127.0.0.1", port: fake.port(of: 1))
        #expect(dead != living)
        for addresses in [dead + living, living + dead] {
            let connection = try connect(to: addresses, timeout: .seconds(5))
            #expect(try await asks(connection))
            connection.close()
        }
        await fake.close()
    }

    @Test("a broker that listens on an IPv6 address is reached")
    func ipv6() async throws {
        let listener = try SilentListener(host: "::1", isFull: false)
        let connection = try BrokerConnection(
            host: "::1", port: listener.port, connectTimeout: .seconds(5), maximumFrame: 1000,
            pool: BufferPool(limit: 0))
        try await eventually("the connection is there") { connection.wasEstablished }
        connection.close()
    }

    @Test("if all addresses are silent, the error is a connection timeout")
    func allSilent() async throws {
        let silent = try SilentListener(host: "127.0.0.1", isFull: true)
        let address = try SocketAddress.resolve(host: "127.0.0.1", port: silent.port)
        let connection = try connect(to: address + address, timeout: .milliseconds(60))
        let before = ContinuousClock.now
        let error = await #expect(throws: KafkaError.self) { _ = try await asks(connection) }
        #expect(error?.message == "name:1 can't be reached: the connection attempt timed out")
        #expect(.now - before >= .milliseconds(110))
    }

    @Test("the connection timeout grows with each failed attempt, up to the limit (KIP-601)")
    func growingSetupTimeout() async throws {
        let silent = try SilentListener(host: "127.0.0.1", isFull: true)
        let timing = ManualTiming()
        let took = Lock<[Duration]>([])
        var hooks = ClientHooks()
        hooks.connected = { event in took.withLock { $0.append(event.duration) } }
        var configuration = try ClientConfiguration(bootstrapServers: "127.0.0.1:\(silent.port)")
        configuration.connectionSetupTimeout = .milliseconds(50)
        configuration.maximumConnectionSetupTimeout = .milliseconds(150)
        // Randomness is fixed and waits take no time, but the attempts use the real clock.
        var halfReal = timing.timing()
        halfReal.now = { .now }
        let cluster = Cluster(
            configuration: configuration, timing: halfReal, observer: ClientObserver(hooks: hooks))
        for _ in 0..<4 {
            await #expect(throws: KafkaError.self) { _ = try await cluster.anyConnection() }
        }
        let times = took.withLock { $0 }
        #expect(times.count == 4)
        for (time, least) in zip(times, [50, 100, 150, 150]) { #expect(time >= .milliseconds(least - 1)) }
        await cluster.close()
    }

    @Test("bootstrap servers are replaced by canonical names, unless they can't be resolved")
    func canonicalNames() async throws {
        var configuration = try ClientConfiguration(
            bootstrapServers: "127.0.0.1:1,\(String(repeating: "x", count: 64)).invalid:2",
            properties: ["client.dns.lookup": "resolve_canonical_bootstrap_servers_only"])
        let resolved = try await BootstrapServers.addresses(configuration)
        let expected = try SocketAddress.resolve(host: "127.0.0.1", port: 1)[0].canonicalName
        #expect(resolved.map(\.host) == [expected, configuration.bootstrapServers[1].host])
        configuration.dnsLookup = .useAllDNSIPs
        #expect(try await BootstrapServers.addresses(configuration) == configuration.bootstrapServers)
    }
}
