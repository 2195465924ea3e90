import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Time limit for opening a connection", .timeLimit(.minutes(1)))
struct SetupTimeTests {
    private let login = [
        "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
        "sasl.jaas.config":
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"a\" password=\"b\";",
    ]

    @Test(
        "if a broker accepts a connection and is silent, socket.connection.setup.timeout.ms applies, not request.timeout.ms",
        arguments: [APIKey.apiVersions, .saslHandshake, .saslAuthenticate])
    func mute(api: APIKey) async throws {
        let limits = ["socket.connection.setup.timeout.ms": "300", "request.timeout.ms": "600000"]
        try await withFake(versions: .latest.withLogins, properties: login.merging(limits) { $1 }) { fake, cluster in
            fake.inject(.silence, into: api)
            let before = ContinuousClock.now
            let error = await #expect(throws: KafkaError.self) { try await cluster.anyConnection() }
            #expect(error?.connectionFailure == .silent)
            #expect(fake.count(api) == 1)
            #expect(.now - before >= .milliseconds(290))
            // The broker responds again, and the next attempt has a longer limit (KIP-601).
            let second = try await cluster.anyConnection()
            #expect(second.isUsable)
        }
    }

    @Test("request.timeout.ms applies if it is shorter")
    func shortRequestTimeout() async throws {
        let limits = ["socket.connection.setup.timeout.ms": "600000", "request.timeout.ms": "100"]
        try await withFake(properties: limits) { fake, cluster in
            fake.inject(.silence, into: .apiVersions)
            let error = await #expect(throws: KafkaError.self) { try await cluster.anyConnection() }
            #expect(error?.connectionFailure == .silent)
        }
    }

    @Test("each address of a host has the full limit")
    func eachAddress() {
        let start = ContinuousClock.now
        var machine = ConnectionStateMachine(broker: "b:1", connectDeadline: start + .seconds(10), maximumFrame: 1000)
        machine.submit(1, .ofTenBytes, deadline: start + .seconds(30), opensConnection: true, expectsResponse: true)
        machine.connectsAnew(until: start + .seconds(19))
        machine.connected()
        _ = machine.wrote(10)
        let next = machine.nextDeadline
        #expect(next == start + .seconds(19))
        let early = machine.tick(start + .seconds(18))
        #expect(early.isEmpty)
        let late = machine.tick(start + .seconds(19))
        #expect(late.first == .fail(1, KafkaError(.requestTimedOut, "b:1 did not respond in time")))
    }

    @Test("requests after the connection setup keep their own limit")
    func otherRequests() {
        let start = ContinuousClock.now
        var machine = ConnectionStateMachine(broker: "b:1", connectDeadline: start + .seconds(10), maximumFrame: 1000)
        machine.connected()
        machine.submit(1, .ofTenBytes, deadline: start + .seconds(30), expectsResponse: true)
        _ = machine.wrote(10)
        let next = machine.nextDeadline
        #expect(next == start + .seconds(30))
    }

    @Test("sessions of one millisecond cause at most one login per second, and are reported")
    func shortSessions() async throws {
        let timing = ManualTiming()
        let logger = LineLogger(.warning)
        try await withFake(
            versions: .latest.withLogins, properties: login, timing: timing.timing(), logger: logger
        ) { fake, cluster in
            fake.limitSessions(to: .milliseconds(1))
            let connection = try await cluster.anyConnection()
            try await eventually("it has logged in again") { fake.count(.saslAuthenticate) > 3 }
            connection.close()
            // The clock advances only by these pauses: one between any two logins.
            let pauses = timing.slept
            #expect(pauses.allSatisfy { $0 >= .seconds(1) })
            #expect(pauses.count >= 3)
            #expect(logger.all.contains { $0.message.contains("session shorter than") })
        }
    }

    @Test("longer sessions are renewed before they end")
    func longSessions() async throws {
        let timing = ManualTiming()
        try await withFake(versions: .latest.withLogins, properties: login, timing: timing.timing()) { fake, cluster in
            fake.limitSessions(to: .seconds(100))
            let connection = try await cluster.anyConnection()
            try await eventually("it has logged in again") { fake.count(.saslAuthenticate) > 3 }
            connection.close()
            #expect(timing.slept.allSatisfy { (.seconds(85)...(.seconds(95))).contains($0) })
        }
    }
}
