import Concurrency
import Foundation
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Connections of a client", .timeLimit(.minutes(1)))
struct ConnectionTests {
    /// What hooks tell of connections.
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

    @Test("a connection that isn't used is closed, isn't lost, and is opened again when it is needed")
    func idle() async throws {
        let log = Log()
        try await withFake(properties: ["connections.max.idle.ms": "200"], hooks: log.hooks) { fake, cluster in
            let connection = try await cluster.anyConnection()
            try await eventually("it is closed") { !connection.isUsable }
            try await eventually("hooks hear of it") { log.all == ["connected", "idle"] }
            fake.createTopic("t")
            // Tried again, since a busy machine may leave the new connection idle for as long.
            let topics = try await cluster.retrying(operation: "test") { try await cluster.describe(topics: ["t"]) }
            #expect(topics.count == 1)
            #expect(log.all.prefix(3) == ["connected", "idle", "connected"])
            #expect(!log.all.contains("lost"))
        }
    }

    @Test("a member that leaves its group takes the connection along that it alone had")
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

    @Test("a connection with a request in flight isn't idle, however long the answer takes")
    func busy() async throws {
        let log = Log()
        try await withFake(properties: ["connections.max.idle.ms": "20"], hooks: log.hooks) { fake, cluster in
            fake.inject(.held, into: .metadata)
            let answer = Task {
                // Retried, since a busy machine may leave the new connection idle for as long before the request. The
                // client's own retry does not do: it refreshes the metadata first, which is a request of its own.
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
            // Ten times as long as an idle connection is kept: time for a client that is wrong to show it.
            try await Task.sleep(for: .milliseconds(200))
            #expect(log.all == before)
            fake.releaseAnswers()
            try await answer.value
            #expect(fake.count(.metadata) == 1)
            try await eventually("it is closed afterwards") { log.all == before + ["idle"] }
        }
    }

    @Test("closing the client is told as such, and a broken connection as broken")
    func ends() async throws {
        let log = Log()
        try await withFake(hooks: log.hooks) { fake, cluster in
            _ = try await cluster.anyConnection()
            fake.hangUp(broker: 1)
            try await eventually("the client notices") { log.all == ["connected", "broke"] }
            _ = try await cluster.anyConnection()
            await cluster.close()
            try await eventually("hooks hear of it") { log.all == ["connected", "broke", "connected", "closed"] }
        }
    }

    // MARK: Cancellation

    @Test("who is cancelled stops waiting for a connection at once; the others get it")
    func cancellation() async throws {
        try await withFake { fake, cluster in
            fake.inject(.held, into: .apiVersions)
            let first = Task { try await cluster.anyConnection() }
            try await eventually("the attempt is under way") { fake.count(.apiVersions) == 1 }
            let second = Task { try await cluster.anyConnection() }
            let third = Task { try await cluster.anyConnection() }
            first.cancel()
            second.cancel()
            // They end though no answer comes.
            for task in [first, second] {
                await #expect(throws: CancellationError.self) { _ = try await task.value }
            }
            fake.releaseAnswers()
            #expect(try await third.value.isUsable)
            #expect(fake.count(.apiVersions) == 1)
        }
    }

    @Test("who is cancelled stops waiting for metadata at once; the next one asks anew")
    func cancelledRefresh() async throws {
        try await withFake { fake, cluster in
            fake.createTopic("t")
            _ = try await cluster.anyConnection()
            fake.inject(.held, into: .metadata)
            let first = Task { try await cluster.describe(topics: ["t"]) }
            try await eventually("the question is under way") { fake.count(.metadata) == 1 }
            first.cancel()
            // It ends though no answer comes.
            await #expect(throws: CancellationError.self) { _ = try await first.value }
            fake.releaseAnswers()
            #expect(try await cluster.describe(topics: ["t"]).first?.partitions.count == 1)
            fake.createTopic("u")
            #expect(try await cluster.describe(topics: ["u"]).count == 1)
        }
    }

    @Test("closing the client ends attempts to connect, with an error that says so")
    func closing() async throws {
        try await withFake { fake, cluster in
            fake.inject(.silence, into: .apiVersions)
            let attempt = Task { try await cluster.anyConnection() }
            try await eventually("the attempt is under way") { fake.count(.apiVersions) == 1 }
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
            try request.frame(version: 12, correlationID: id, clientID: "test")
        }
        return answer != nil
    }

    @Test("an address that keeps silent has its time, and then the next one is tried")
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

    @Test("a name with a dead IPv6 address and a living IPv4 one is connected to, in whichever order")
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

    @Test("a broker that listens on an IPv6 address is connected to")
    func ipv6() async throws {
        let listener = try SilentListener(host: "::1", isFull: false)
        let connection = try BrokerConnection(
            host: "::1", port: listener.port, connectTimeout: .seconds(5), maximumFrame: 1000,
            pool: BufferPool(limit: 0))
        try await eventually("the connection is there") { connection.wasEstablished }
        connection.close()
    }

    @Test("where all addresses keep silent, it is the connection that timed out")
    func allSilent() async throws {
        let silent = try SilentListener(host: "127.0.0.1", isFull: true)
        let address = try SocketAddress.resolve(host: "127.0.0.1", port: silent.port)
        let connection = try connect(to: address + address, timeout: .milliseconds(60))
        let before = ContinuousClock.now
        let error = await #expect(throws: KafkaError.self) { _ = try await asks(connection) }
        #expect(error?.message == "name:1 can't be reached: the connection attempt timed out")
        #expect(.now - before >= .milliseconds(110))
    }

    @Test("an attempt to connect has longer after each that failed, up to the limit (KIP-601)")
    func growingSetupTimeout() async throws {
        let silent = try SilentListener(host: "127.0.0.1", isFull: true)
        let timing = ManualTiming()
        let took = Lock<[Duration]>([])
        var hooks = ClientHooks()
        hooks.connected = { event in took.withLock { $0.append(event.duration) } }
        var configuration = try ClientConfiguration(bootstrapServers: "127.0.0.1:\(silent.port)")
        configuration.connectionSetupTimeout = .milliseconds(50)
        configuration.maximumConnectionSetupTimeout = .milliseconds(150)
        // Chance stands still and waits take no time, but the attempts themselves run by the real clock.
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

    @Test("bootstrap servers by their canonical names, those that can't be resolved as they are")
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
