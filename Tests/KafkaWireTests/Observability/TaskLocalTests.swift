import Concurrency
import KafkaFake
import Testing

@testable import KafkaWire

/// A task-local value that an application may set before it creates a client, such as a tracing span.
private enum Caller {
    @TaskLocal static var name: String?
}

@Suite("The client's own tasks do not see the task-locals of the caller that started them", .timeLimit(.minutes(1)))
struct TaskLocalTests {
    /// The task-locals that hooks and handlers saw.
    private final class Seen: Sendable {
        let values = Lock<[String: Set<String?>]>([:])

        func note(_ place: String) {
            let value = Caller.name
            values.withLock { _ = $0[place, default: []].insert(value) }
        }
    }

    private struct Metrics: KafkaMetrics {
        let seen: Seen

        func counter(_ name: String, dimensions: [(String, String)]) -> @Sendable (Int) -> Void {
            { _ in seen.note("metric \(name)") }
        }
        func gauge(_ name: String, dimensions: [(String, String)]) -> @Sendable (Double) -> Void {
            { _ in seen.note("metric \(name)") }
        }
        func timer(_ name: String, dimensions: [(String, String)]) -> @Sendable (Duration) -> Void {
            { _ in seen.note("metric \(name)") }
        }
    }

    @Test("hooks and rebalance handlers", arguments: GroupKind.both)
    func hooks(kind: GroupKind) async throws {
        let seen = Seen()
        var hooks = ClientHooks()
        hooks.connected = { _ in seen.note("connected") }
        hooks.requestSent = { seen.note("request \($0.api)") }
        hooks.responseReceived = { seen.note("response \($0.api)") }
        hooks.rebalanced = { _ in seen.note("rebalanced") }
        hooks.retrying = { _ in seen.note("retrying") }
        let properties = ["group.id": "g", "auto.offset.reset": "earliest", "linger.ms": "0"]
        try await withFake(
            properties: properties.merging(kind.properties) { $1 }, metrics: Metrics(seen: seen), hooks: hooks
        ) { fake, cluster in
            fake.createTopic("t")
            fake.inject(.error(.notLeaderOrFollower), into: .fetch)
            fake.inject(.error(.notLeaderOrFollower), into: .produce)
            try await Caller.$name.withValue("stranger") {
                let producer = KafkaProducer(cluster: cluster)
                let consumer = KafkaConsumer(cluster: cluster, offsetReset: .earliest)
                try await consumer.subscribe(to: .topics(["t"])) { _ in seen.note("handler") }
                _ = try await producer.send(ProducerRecord(topic: "t", value: [1]))
                var iterator = consumer.makeAsyncIterator()
                _ = try await iterator.next()
                await consumer.close()
                await producer.close()
            }
            let values = seen.values.withLock { $0 }
            #expect(values.keys.contains("handler"))
            #expect(values.count > 10)
            for (place, found) in values { #expect(found == [nil], "\(place)") }
        }
    }

    @Test("token providers")
    func tokens() async throws {
        let seen = Seen()
        let source = OAuthTokenSource {
            seen.note("provider")
            return OAuthToken("secret", lifetime: .seconds(1))
        }
        _ = try await Caller.$name.withValue("stranger") { try await source.token(.now) }
        #expect(seen.values.withLock { $0 } == ["provider": [nil]])
    }

    @Test("A call that the caller waits for sees them")
    func ownCall() async throws {
        let seen = Seen()
        var hooks = ClientHooks()
        hooks.requestSent = { if $0.api == "OffsetFetch" { seen.note("request") } }
        try await withFake(properties: ["group.id": "g"], hooks: hooks) { fake, cluster in
            fake.createTopic("t")
            let consumer = KafkaConsumer(cluster: cluster, offsetReset: .earliest)
            _ = try await Caller.$name.withValue("own") { try await consumer.committed([TopicPartition("t")]) }
            #expect(seen.values.withLock { $0 } == ["request": ["own"]])
            await consumer.close()
        }
    }
}
