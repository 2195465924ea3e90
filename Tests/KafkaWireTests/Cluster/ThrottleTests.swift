import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

@Suite("Throttling by brokers", .timeLimit(.minutes(1)))
struct ThrottleTests {
    /// The frame of a response with a throttle time, for the second request of a connection.
    private func answer(pause milliseconds: Int32) throws -> [UInt8] {
        let version = MetadataRequest.versions.upperBound
        var writer = WireWriter(isFlexible: true)
        writer.int32(0)
        writer.int32(1)  // correlation id; ApiVersions had 0
        writer.unsignedVarint(0)
        MetadataResponse(throttleTimeMs: milliseconds).encode(to: &writer, version: version)
        writer.overwriteInt32(Int32(writer.count - 4), at: 0)
        return try writer.finish()
    }

    @Test("a throttled connection sends nothing during the pause, and hooks are notified")
    func pause() async throws {
        let heard = Lock<[ThrottleEvent]>([])
        var hooks = ClientHooks()
        hooks.throttled = { event in heard.withLock { $0.append(event) } }
        try await withFake(hooks: hooks) { fake, cluster in
            fake.inject(.garbage(try answer(pause: 300)), into: .metadata)
            let connection = try await cluster.anyConnection()
            _ = try await connection.call(MetadataRequest(topics: []), timeout: .seconds(10))
            _ = try await connection.call(MetadataRequest(topics: []), timeout: .seconds(10))
            // The pause begins after the broker has read the first request, so this is reliable on a busy machine too.
            let times = fake.requests.filter { $0.api == .metadata }.map(\.time)
            try #require(times.count == 2)
            #expect(times[1] - times[0] >= .milliseconds(300))
            let event = try #require(heard.withLock { $0 }.first)
            #expect(heard.withLock { $0.count } == 1)
            #expect(event.api == "Metadata")
            #expect(event.duration == .milliseconds(300))
            #expect(event.role == .general)
            #expect(event.broker.port == fake.port(of: 1))
        }
    }

    @Test("a throttle time of 24 days is limited to a minute, and the original time is reported")
    func longestPause() async throws {
        let heard = Lock<[ThrottleEvent]>([])
        var hooks = ClientHooks()
        hooks.throttled = { event in heard.withLock { $0.append(event) } }
        let logger = LineLogger(.warning)
        try await withFake(logger: logger, hooks: hooks) { fake, cluster in
            fake.inject(.garbage(try answer(pause: .max)), into: .metadata)
            let connection = try await cluster.anyConnection()
            _ = try await connection.call(MetadataRequest(topics: []), timeout: .seconds(10))
            let event = try #require(heard.withLock { $0 }.first)
            #expect(event.duration == .seconds(60))
            #expect(event.requested == .milliseconds(Int(Int32.max)))
            #expect(logger.all.contains { $0.message.contains("longer pause") })
        }
    }

    @Test("responses in versions before KIP-219 don't pause the client, because the broker has already waited")
    func versions() {
        let response = MetadataResponse(throttleTimeMs: 70)
        #expect(MetadataRequest.pause(after: response, version: 6) == .milliseconds(70))
        #expect(MetadataRequest.pause(after: response, version: 5) == nil)
        #expect(MetadataRequest.pause(after: MetadataResponse(), version: 13) == nil)
        #expect(FetchRequest.pause(after: FetchResponse(throttleTimeMs: 1), version: 8) == .milliseconds(1))
        #expect(ProduceRequest.pause(after: ProduceResponse(throttleTimeMs: 1), version: 13) == .milliseconds(1))
    }
}
