import KafkaWire
import TestSupport
import Testing

/// Addresses at which there is no Kafka: every call ends in time, with a sentence that says why.
@Suite struct UnreachableTests {
    /// How soon there has to be an answer: well before the minute of `default.api.timeout.ms`, and with room for a
    /// machine that is busy.
    private let promised = Duration.seconds(15)

    private func error(_ port: Int, _ properties: [String: String] = [:]) async throws -> (KafkaError, Duration) {
        let client = try KafkaClient(bootstrapServers: "127.0.0.1:\(port)", properties: properties)
        let start = ContinuousClock.now
        let error = try await kafkaError { _ = try await client.admin.describe(topics: ["t"]) }
        let time = ContinuousClock.now - start
        await client.close()
        return (error, time)
    }

    @Test func nobodyListens() async throws {
        let port = try freePort()
        let (error, time) = try await error(port, ["default.api.timeout.ms": "1500"])
        #expect(error.code == .networkException)
        #expect(
            error.message
                == "no broker can be reached: 127.0.0.1:\(port) can't be reached: Connection refused")
        #expect(time < promised)
    }

    @Test func nobodyListensForAProducer() async throws {
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

    @Test func serverThatSaysNothing() async throws {
        let server = try UnfriendlyServer(answer: [])
        let (error, time) = try await error(
            server.port, ["request.timeout.ms": "700", "default.api.timeout.ms": "1500"])
        #expect(error.message.contains("127.0.0.1:\(server.port) did not respond in time"))
        #expect(time > .milliseconds(650))
        #expect(time < promised)
        #expect(server.connectionCount > 0)
    }

    @Test func webServer() async throws {
        let answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
        let server = try UnfriendlyServer(answer: Array(answer.utf8))
        // With the usual limits of a minute: another attempt would find the same.
        let (error, time) = try await error(server.port)
        #expect(error.description.contains("127.0.0.1:\(server.port) speaks HTTP, not Kafka: check the port"))
        #expect(time < promised)
    }

    @Test func serverThatWantsTLS() async throws {
        // A fatal alert, unexpected_message: what a TLS listener says to anything but a handshake.
        let server = try UnfriendlyServer(answer: [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a])
        let (error, time) = try await error(server.port)
        #expect(
            error.description.contains(
                "127.0.0.1:\(server.port) answered with a TLS alert: its listener expects TLS"))
        #expect(time < promised)
    }

    @Test func serverThatSpeaksNonsense() async throws {
        let server = try UnfriendlyServer(answer: Array("SSH-2.0-OpenSSH_9.6\r\n".utf8))
        let (error, time) = try await error(server.port, ["default.api.timeout.ms": "1000"])
        #expect(error.message.contains("127.0.0.1:\(server.port) announced a response of 1397966893 bytes"))
        #expect(time < promised)
    }

    @Test func answerWithAnotherCorrelationID() async throws {
        let server = try UnfriendlyServer(answer: [0, 0, 0, 6, 0, 0, 0x30, 0x39, 0, 0])
        let (error, _) = try await error(server.port, ["default.api.timeout.ms": "1000"])
        #expect(error.message.contains("answered request 12345, but the response to 0 was due"))
    }

    @Test func emptyAnswer() async throws {
        // The right correlation id, and then nothing of what belongs into an answer.
        let server = try UnfriendlyServer(answer: [0, 0, 0, 4, 0, 0, 0, 0])
        let (error, time) = try await error(server.port, ["default.api.timeout.ms": "1000"])
        #expect(error.message.contains("127.0.0.1:\(server.port) sent a response to ApiVersions that can't be decoded"))
        #expect(time < promised)
    }

    @Test func nameWithoutAnAddress() async throws {
        let client = try KafkaClient(
            bootstrapServers: "no-such-host.invalid:9092", properties: ["default.api.timeout.ms": "1000"])
        let error = try await kafkaError { _ = try await client.admin.describe(topics: ["t"]) }
        #expect(error.message.contains("the host name no-such-host.invalid can't be resolved"))
        await client.close()
    }

    /// A server of which only a part is there: the one that works serves.
    @Test(needsKafka) func oneOfTwoIsEnough() async throws {
        let home = try #require(KafkaHome.newest)
        let cluster = try await KafkaCluster.shared(home)
        let client = try KafkaClient(bootstrapServers: "127.0.0.1:\(try freePort()),\(cluster.bootstrap)")
        let start = ContinuousClock.now
        let error = try await kafkaError { _ = try await client.admin.describe(topics: [uniqueName()]) }
        #expect(error.code == .unknownTopicOrPartition)
        #expect(.now - start < promised)
        await client.close()
    }
}
