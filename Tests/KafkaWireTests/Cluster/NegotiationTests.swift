import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Version negotiation", .timeLimit(.minutes(1)))
struct NegotiationTests {
    private func open(_ fake: FakeCluster, timeout: Duration = .seconds(30)) async throws -> NegotiatedConnection {
        var configuration = try ClientConfiguration(bootstrapServers: fake.bootstrapServers)
        configuration.requestTimeout = timeout
        return try await NegotiatedConnection.open(
            configuration.bootstrapServers[0], settings: configuration.connectionSettings, pool: BufferPool(limit: 0))
    }

    private func asked(_ fake: FakeCluster) -> [Int16] {
        fake.requests.filter { $0.api == .apiVersions }.map(\.version)
    }

    @Test("a broker that supports the version gets one request")
    func supported() async throws {
        let fake = try FakeCluster()
        let connection = try await open(fake)
        #expect(asked(fake) == [4])
        #expect(try connection.version(for: FetchRequest.self) == 18)
        #expect(try connection.version(for: ProduceRequest.self) == 13)
        connection.close()
        await fake.close()
    }

    @Test("UNSUPPORTED_VERSION with a range: the client retries with its highest version, over the same connection")
    func refusedWithRange() async throws {
        let fake = try FakeCluster(versions: .latest.with(.apiVersions, 0...3))
        let connection = try await open(fake)
        #expect(asked(fake) == [4, 3])
        _ = try await connection.call(MetadataRequest(topics: []), timeout: .seconds(10))
        connection.close()
        await fake.close()
    }

    @Test("UNSUPPORTED_VERSION without a range, as from Kafka 2.1: the client retries with version 0")
    func kafka21() async throws {
        let fake = try FakeCluster(versions: .kafka21)
        let connection = try await open(fake)
        #expect(asked(fake) == [4, 0])
        #expect(try connection.version(for: FetchRequest.self) == 10)
        #expect(try connection.version(for: ProduceRequest.self) == 7)
        #expect(try connection.version(for: MetadataRequest.self) == 7)
        connection.close()
        await fake.close()
    }

    @Test("if a broker hangs up, the client tries older versions over new connections", arguments: [Int16(2), 0])
    func hangUp(highest: Int16) async throws {
        let fake = try FakeCluster(versions: .latest.with(.apiVersions, 0...highest).refusing(.hangUp))
        let connection = try await open(fake)
        #expect(asked(fake) == (highest == 2 ? [4, 2] : [4, 2, 0]))
        connection.close()
        await fake.close()
    }

    @Test("if a broker hangs up on every version, the error names possible causes")
    func hangsUpAlways() async throws {
        let fake = try FakeCluster(versions: .latest.with(.apiVersions, nil).refusing(.hangUp))
        let error = await #expect(throws: KafkaError.self) { _ = try await open(fake) }
        #expect(error?.code == .networkException)
        #expect(error?.message.contains("closed the connection upon the first request") == true)
        #expect(error?.message.contains("TLS") == true)
        await fake.close()
    }

    @Test(
        "a server that isn't Kafka is described by its bytes, and isn't mistaken for a TLS listener",
        arguments: [
            ("SSH-2.0-x\r\n", "\"SSH-\""), ("\u{1}\u{2}\u{3}", "may not speak Kafka"), ("HTTP/1.1 400", "HTTP"),
        ])
    func foreignProtocol(text: String, named: String) async throws {
        let fake = try FakeCluster()
        let bytes = named == "may not speak Kafka" ? [0xff, 0xfe, 0xfd, 0xfc, 0] : Array(text.utf8)
        fake.inject(.garbage(bytes), into: .apiVersions, times: 3)
        let error = await #expect(throws: KafkaError.self) { _ = try await open(fake) }
        #expect(error?.connectionFailure == .foreignProtocol)
        #expect(error?.message.contains(named) == true)
        #expect(error?.message.contains("want TLS") == false)
        #expect(error?.message.contains("127.0.0.1:\(fake.port(of: 1))") == true)
        await fake.close()
    }

    @Test("an API that the broker doesn't support is named")
    func missingAPI() async throws {
        let fake = try FakeCluster(versions: .latest.with(.initProducerID, nil))
        let connection = try await open(fake)
        let error = #expect(throws: KafkaError.self) { try connection.version(for: InitProducerIdRequest.self) }
        #expect(error?.code == .unsupportedVersion)
        #expect(error?.message.contains("InitProducerId") == true)
        connection.close()
        await fake.close()
    }

    @Test("if version ranges don't overlap, the error names the API and both ranges", arguments: [Int16(0), 50])
    func disjointRanges(lowest: Int16) async throws {
        let fake = try FakeCluster(versions: .latest.with(.fetch, lowest...lowest + 3))
        let connection = try await open(fake)
        let error = #expect(throws: KafkaError.self) { try connection.version(for: FetchRequest.self) }
        #expect(error?.code == .unsupportedVersion)
        for part in ["Fetch", "\(lowest) to \(lowest + 3)", "4 to 18"] {
            #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
        }
        connection.close()
        await fake.close()
    }

    @Test("any other error is thrown with its code")
    func refused() async throws {
        let fake = try FakeCluster()
        fake.inject(.error(.clusterAuthorizationFailed), into: .apiVersions)
        let error = await #expect(throws: KafkaError.self) { _ = try await open(fake) }
        #expect(error?.code == .clusterAuthorizationFailed)
        #expect(error?.isFromBroker == true)
        await fake.close()
    }

    @Test("a malformed response is an error, not a trap")
    func unreadable() async throws {
        let fake = try FakeCluster()
        fake.inject(.unreadable, into: .apiVersions, times: 3)
        let error = await #expect(throws: KafkaError.self) { _ = try await open(fake) }
        #expect(error?.code == .corruptMessage)
        await fake.close()
    }

    @Test(
        "a server that speaks another protocol is recognized",
        arguments: [
            ("HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"), ("\u{15}\u{03}\u{03}\u{00}\u{02}\u{02}\u{46}", "TLS"),
        ])
    func otherProtocol(answer: String, hint: String) async throws {
        let fake = try FakeCluster()
        fake.inject(.garbage(Array(answer.utf8)), into: .apiVersions, times: 3)
        let error = await #expect(throws: KafkaError.self) { _ = try await open(fake) }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
        await fake.close()
    }

    @Test("a broker that accepts the connection and doesn't respond causes a timeout")
    func silence() async throws {
        let fake = try FakeCluster()
        fake.inject(.silence, into: .apiVersions)
        let error = await #expect(throws: KafkaError.self) { _ = try await open(fake, timeout: .milliseconds(50)) }
        #expect(error?.code == .requestTimedOut)
        await fake.close()
    }
}
