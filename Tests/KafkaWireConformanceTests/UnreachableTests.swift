import KafkaWire
import TestSupport
import Testing

/// Addresses without Kafka: every call fails in time with an error that explains why.
@Suite struct UnreachableTests {
    /// The maximum time until an error: well below `default.api.timeout.ms` (one minute), with room for a busy machine.
    private let maximumTime = Duration.seconds(15)

    private func error(_ port: Int, _ properties: [String: String] = [:]) async throws -> (KafkaError, Duration) {
        let client = try KafkaClient(bootstrapServers: "127.0.0.1:\(port)", properties: properties)
        let start = ContinuousClock.now
        let error = try await kafkaError { _ = try await client.admin.describe(topics: ["t"]) }
        let time = ContinuousClock.now - start
        await client.close()
        return (error, time)
    }

    @Test func noListener() async throws {
        let port = try freePort()
        let (error, time) = try await error(port, ["default.api.timeout.ms": "1500"])
        #expect(error.code == .networkException)
        #expect(
            error.message
                == "no broker can be reached: 127.0.0.1:\(port) can't be reached: Connection refused")
        #expect(time < maximumTime)
    }

    @Test func noListenerForAProducer() async throws {
        let client = try KafkaClient(
            bootstrapServers: "127.0.0.1:\(try freePort())", properties: ["default.api.timeout.ms": "1000"])
        let producer = client.producer()
        let error = try await kafkaError { _ = try await producer.send(ProducerRecord(topic: "t", value: [1])) }
        #expect(error.code == .networkException)
        #expect(error.message.contains("Connection refused"))
        await producer.close()
        await client.close()
    }

    @Test func severalBrokersAreAllNamed() async throws {
        let ports = [try freePort(), try freePort()]
        let client = try KafkaClient(
            bootstrapServers: ports.map { "127.0.0.1:\($0)" }.joined(separator: ","),
            properties: ["default.api.timeout.ms": "500"])
        let error = try await kafkaError { _ = try await client.admin.describe(topics: ["t"]) }
        for port in ports { #expect(error.message.contains("127.0.0.1:\(port) can't be reached")) }
        await client.close()
    }

    @Test func silentServer() async throws {
        let server = try UnfriendlyServer(answer: [])
        let (error, time) = try await error(
            server.port, ["request.timeout.ms": "700", "default.api.timeout.ms": "1500"])
        #expect(error.message.contains("127.0.0.1:\(server.port) did not respond in time"))
        #expect(time > .milliseconds(650))
        #expect(time < maximumTime)
        #expect(server.connectionCount > 0)
    }

    @Test func webServer() async throws {
        let answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
        let server = try UnfriendlyServer(answer: Array(answer.utf8))
        // Uses the default limits of a minute, because a retry would not help.
        let (error, time) = try await error(server.port)
        #expect(error.description.contains("127.0.0.1:\(server.port) speaks HTTP, not Kafka: check the port"))
        #expect(time < maximumTime)
    }

    @Test func serverThatRequiresTLS() async throws {
        // A fatal alert, unexpected_message, with which a TLS listener answers anything but a handshake.
        let server = try UnfriendlyServer(answer: [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a])
        let (error, time) = try await error(server.port)
        #expect(
            error.description.contains(
                "127.0.0.1:\(server.port) answered with a TLS alert: its listener expects TLS"))
        #expect(time < maximumTime)
    }

    @Test func serverThatSendsGarbage() async throws {
        let server = try UnfriendlyServer(answer: Array("SSH-2.0-OpenSSH_9.6\r\n".utf8))
        let (error, time) = try await error(server.port, ["default.api.timeout.ms": "1000"])
        #expect(error.message.contains("127.0.0.1:\(server.port) announced a response of 1397966893 bytes"))
        #expect(time < maximumTime)
    }

    @Test func answerWithAnotherCorrelationID() async throws {
        let server = try UnfriendlyServer(answer: [0, 0, 0, 6, 0, 0, 0x30, 0x39, 0, 0])
        let (error, _) = try await error(server.port, ["default.api.timeout.ms": "1000"])
        #expect(error.message.contains("answered request 12345, but the response to 0 was due"))
    }

    @Test func emptyAnswer() async throws {
        // The right correlation id, but no response body.
        let server = try UnfriendlyServer(answer: [0, 0, 0, 4, 0, 0, 0, 0])
        let (error, time) = try await error(server.port, ["default.api.timeout.ms": "1000"])
        #expect(error.message.contains("127.0.0.1:\(server.port) sent a response to ApiVersions that can't be decoded"))
        #expect(time < maximumTime)
    }

    @Test func nameWithoutAnAddress() async throws {
        let client = try KafkaClient(
            bootstrapServers: "no-such-host.invalid:9092", properties: ["default.api.timeout.ms": "1000"])
        let error = try await kafkaError { _ = try await client.admin.describe(topics: ["t"]) }
        #expect(error.message.contains("the host name no-such-host.invalid can't be resolved"))
        await client.close()
    }

    /// If only one of two bootstrap servers works, the client uses that one.
    @Test(needsKafka) func oneOfTwoIsEnough() async throws {
        let home = try #require(KafkaHome.newest)
        let cluster = try await KafkaCluster.shared(home)
        let client = try KafkaClient(bootstrapServers: "127.0.0.1:\(try freePort()),\(cluster.bootstrap)")
        let start = ContinuousClock.now
        let error = try await kafkaError { _ = try await client.admin.describe(topics: [uniqueName()]) }
        #expect(error.code == .unknownTopicOrPartition)
        #expect(.now - start < maximumTime)
        await client.close()
    }
}
