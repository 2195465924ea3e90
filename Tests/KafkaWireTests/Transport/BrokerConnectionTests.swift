import Foundation
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Connections to a broker", .timeLimit(.minutes(1)), .serialized)
struct BrokerConnectionTests {
    private func connect(_ fake: FakeCluster, maximumFrame: Int = 1 << 20) throws -> BrokerConnection {
        try BrokerConnection(
            host: "127.0.0.1", port: fake.port(of: 1), connectTimeout: .seconds(5), maximumFrame: maximumFrame,
            pool: BufferPool(limit: 1 << 20))
    }

    private func metadata(
        _ connection: BrokerConnection, topic: String = "t", timeout: Duration = .seconds(10)
    ) async throws -> MetadataResponse {
        let request = MetadataRequest(topics: [MetadataRequest.Topic(name: topic)], allowAutoTopicCreation: false)
        let frame = try await connection.send(timeout: timeout) { id in
            try request.requestFrame(version: 12, correlationID: id, clientID: "test")
        }
        return try MetadataRequest.decodeResponse(try #require(frame), version: 12)
    }

    private func failure(_ body: () async throws -> Void) async -> KafkaError? {
        await #expect(throws: KafkaError.self) { try await body() }
    }

    @Test("concurrent requests each get their own response")
    func concurrent() async throws {
        let fake = try FakeCluster()
        let connection = try connect(fake)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<500 {
                group.addTask {
                    let response = try await self.metadata(connection, topic: "topic-\(index)")
                    #expect(response.topics.map(\.name) == ["topic-\(index)"])
                }
            }
            try await group.waitForAll()
        }
        #expect(fake.count(.metadata) == 500)
        connection.close()
        await fake.close()
    }

    @Test("responses that arrive in pieces of any size are reassembled", arguments: [1, 2, 3, 7, 100])
    func pieces(size: Int) async throws {
        let fake = try FakeCluster()
        fake.createTopic("t", partitions: 10)
        fake.inject(.inPieces(size), into: .metadata, times: 3)
        let connection = try connect(fake)
        for _ in 0..<3 {
            #expect(try await metadata(connection).topics.first?.partitions.count == 10)
        }
        connection.close()
        await fake.close()
    }

    @Test("cancelling a caller does not affect the responses of the others")
    func cancellation() async throws {
        let fake = try FakeCluster()
        fake.inject(.late(.milliseconds(150)), into: .metadata)
        let connection = try connect(fake)
        let first = Task { try await metadata(connection, topic: "first") }
        try await eventually("the first request is at the broker") { fake.count(.metadata) == 1 }
        let second = Task { try await metadata(connection, topic: "second") }
        let third = Task { try await metadata(connection, topic: "third") }
        first.cancel()
        second.cancel()
        await #expect(throws: CancellationError.self) { _ = try await first.value }
        await #expect(throws: CancellationError.self) { _ = try await second.value }
        #expect(try await third.value.topics.map(\.name) == ["third"])
        #expect(connection.closed == nil)
        connection.close()
        await fake.close()
    }

    @Test("a task that was cancelled before the call sends nothing")
    func cancelledBefore() async throws {
        let fake = try FakeCluster()
        let connection = try connect(fake)
        _ = try await metadata(connection)
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await metadata(connection)
        }
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        _ = try await metadata(connection)
        #expect(fake.count(.metadata) == 2)
        connection.close()
        await fake.close()
    }

    @Test("a response timeout closes the connection and fails all requests in flight")
    func timeout() async throws {
        let fake = try FakeCluster()
        fake.inject(.silence, into: .metadata)
        let connection = try connect(fake)
        let patient = Task { try await metadata(connection) }
        try await eventually("the request is at the broker") { fake.count(.metadata) == 1 }
        let error = await failure { _ = try await self.metadata(connection, timeout: .milliseconds(30)) }
        #expect(error?.code == .requestTimedOut)
        #expect(await failure { _ = try await patient.value }?.code == .requestTimedOut)
        #expect(connection.closed?.code == .requestTimedOut)
        #expect(await failure { _ = try await self.metadata(connection) }?.code == .requestTimedOut)
        await fake.close()
    }

    @Test(
        "a protocol violation closes the connection with an explanation",
        arguments: [
            (Fault.hangUp(.beforehand), "closed the connection"), (.hangUp(.beforeAnswer), "closed the connection"),
            (.hangUp(.withinAnswer), "closed the connection"), (.wrongCorrelationID, "was due"),
            (.length(2_000_000), "receive.message.max.bytes"), (.length(-5), "not a valid length"),
            (.length(2), "not a valid length"),
            (.garbage(Array("HTTP/1.1 200 OK".utf8)), "HTTP"),
        ])
    func misbehaviour(fault: Fault, sentence: String) async throws {
        let fake = try FakeCluster()
        fake.inject(fault, into: .metadata)
        let connection = try connect(fake)
        let error = await failure { _ = try await self.metadata(connection) }
        #expect(error?.code == .networkException)
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
        #expect(connection.closed != nil)
        await fake.close()
    }

    @Test("a response that arrives before the broker closes the connection is delivered")
    func hangUpAfterwards() async throws {
        let fake = try FakeCluster()
        fake.inject(.hangUp(.afterAnswer), into: .metadata)
        let connection = try connect(fake)
        #expect(try await metadata(connection).brokers.count == 1)
        try await eventually("the connection is closed") { connection.closed != nil }
        await fake.close()
    }

    @Test("a port without a listener is an error at once")
    func refused() async throws {
        let fake = try FakeCluster()
        await fake.stop(broker: 1)
        let connection = try connect(fake)
        let error = await failure { _ = try await self.metadata(connection) }
        #expect(error?.code == .networkException)
        #expect(error?.message.contains("can't be reached") == true)
        #expect(!connection.wasEstablished)
    }

    @Test("an unknown host name is an error with the resolver's reason")
    func resolveFailure() async throws {
        // The resolver itself refuses a label of more than 63 letters.
        let host = String(repeating: "x", count: 64) + ".invalid"
        let connection = try BrokerConnection(
            host: host, port: 9092, connectTimeout: .seconds(5), maximumFrame: 1000, pool: BufferPool(limit: 0))
        let error = await failure { _ = try await self.metadata(connection) }
        #expect(error?.message.contains("can't be resolved") == true, "\(error?.message ?? "")")
    }

    @Test("closing fails requests in progress and later ones with the given reason")
    func close() async throws {
        let fake = try FakeCluster()
        fake.inject(.silence, into: .metadata)
        let connection = try connect(fake)
        let task = Task { try await metadata(connection) }
        try await eventually("the request is at the broker") { fake.count(.metadata) == 1 }
        connection.close(KafkaError(.brokerNotAvailable, "enough"))
        #expect(await failure { _ = try await task.value }?.code == .brokerNotAvailable)
        #expect(await failure { _ = try await self.metadata(connection) }?.message == "enough")
        await fake.close()
    }

    #if os(Linux)
        @Test("after closing, no thread and no descriptor is left")
        func leftovers() async throws {
            let fake = try FakeCluster()
            let port = fake.port(of: 1)
            let before = try (threads: ProcessResources.count("task"), descriptors: ProcessResources.count("fd"))
            var connections = try (0..<100).map { _ in try connect(fake) }
            for connection in connections { _ = try await metadata(connection, timeout: .seconds(60)) }
            // The kernel's table may change while it is read, so one look may miss a socket.
            try await eventually("both ends of each connection are there") {
                try ProcessResources.sockets(port: port) == 201
            }
            for connection in connections { connection.close() }
            try await eventually("only the listener's socket is left") { try ProcessResources.sockets(port: port) == 1 }
            await fake.close()
            try await eventually("no socket is left") { try ProcessResources.sockets(port: port) == 0 }
            connections = []
            // Each connection had a thread and two descriptors: one of the fake, one of the client. Other tests that run at
            // the same time have threads and descriptors, too.
            try await eventually("the threads have ended") { try ProcessResources.count("task") < before.threads + 100 }
            try await eventually("the descriptors are closed") {
                try ProcessResources.count("fd") < before.descriptors + 100
            }
        }

        @Test("connections that are not closed explicitly end when they are released")
        func released() async throws {
            let fake = try FakeCluster()
            let port = fake.port(of: 1)
            do {
                let connection = try connect(fake)
                _ = try await metadata(connection)
            }
            try await eventually("only the listener's socket is left") { try ProcessResources.sockets(port: port) == 1 }
            await fake.close()
        }
    #endif
}
