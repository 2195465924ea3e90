import Concurrency
import Testing

@testable import KafkaWire

@Suite("The policy of retries") struct RetryPolicyTests {
    /// A cluster with a stopped clock, and its reports.
    private final class Scene: Sendable {
        private final class Log: Sendable {
            let events = Lock<[RetryEvent]>([])
        }

        let cluster: Cluster
        private let log = Log()

        var reports: [RetryEvent] { log.events.withLock { $0 } }

        init() throws {
            var hooks = ClientHooks()
            hooks.retrying = { [log] event in log.events.withLock { $0.append(event) } }
            let now = ContinuousClock.now
            cluster = Cluster(
                configuration: try ClientConfiguration(bootstrapServers: "localhost:1"),
                timing: Timing(now: { now }, random: { 0.5 }),
                observer: ClientObserver(clientID: "test", logger: nil, metrics: nil, hooks: hooks))
        }

        var now: ContinuousClock.Instant { cluster.timing.now() }
    }

    private let passing = KafkaError(.notLeaderOrFollower, "the leader has moved")

    @Test("the pause grows with each consecutive failure, up to its limit")
    func backoff() throws {
        let scene = try Scene()
        var retry = Retry("read", in: scene.cluster)
        let pauses = (0..<6).map { _ in retry.failed(passing, in: scene.cluster) }
        #expect(pauses == [100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
        retry.succeeded(in: scene.cluster)
        #expect(retry.failures == 0)
        #expect(retry.failed(passing, in: scene.cluster) == .milliseconds(100))
    }

    @Test("failures of a related operation lengthen the pause")
    func related() throws {
        let scene = try Scene()
        var retry = Retry("join", in: scene.cluster)
        #expect(retry.failed(passing, earlier: 3, in: scene.cluster) == .milliseconds(400))
        #expect(retry.failures == 1)
    }

    @Test("an error that is not retriable ends the operation, and so does one that the policy declares final")
    func final() throws {
        let scene = try Scene()
        var retry = Retry("describe", in: scene.cluster, final: [.notLeaderOrFollower])
        #expect(retry.failed(passing, in: scene.cluster) == nil)
        #expect(retry.failed(KafkaError(.topicAuthorizationFailed, "forbidden"), in: scene.cluster) == nil)
        #expect(retry.failed(KafkaError(.leaderNotAvailable, "no leader"), in: scene.cluster) != nil)
        #expect(scene.reports.map(\.error?.code) == [.leaderNotAvailable])
    }

    @Test("no attempt begins after the deadline")
    func deadline() throws {
        let scene = try Scene()
        var retry = Retry("read", in: scene.cluster, until: scene.now + .milliseconds(150))
        #expect(retry.failed(passing, in: scene.cluster) == .milliseconds(100))
        #expect(retry.failed(passing, in: scene.cluster) == nil)
    }

    @Test("a failure of an operation that is repeated anyway is reported with its interval, whatever the error")
    func interval() throws {
        let scene = try Scene()
        var retry = Retry("send a heartbeat", in: scene.cluster)
        for _ in 0..<5 {
            retry.failed(
                KafkaError(.groupAuthorizationFailed, "no"), repeatedAfter: .seconds(3), in: scene.cluster)
        }
        #expect(retry.failures == 5)
        #expect(scene.reports.map(\.pause) == [.seconds(3)])
    }

    @Test("a momentary error is retried soon, and reported only if it persists")
    func momentary() throws {
        let scene = try Scene()
        var retry = Retry("begin a transaction", in: scene.cluster, momentary: [.concurrentTransactions])
        let error = KafkaError(.concurrentTransactions, "the last transaction is ending")
        for _ in 0..<RetryPolicy.momentaryFailures {
            #expect(retry.failed(error, in: scene.cluster) == RetryPolicy.momentaryPause)
        }
        #expect(scene.reports.isEmpty)
        _ = retry.failed(error, in: scene.cluster)
        #expect(scene.reports.count == 1)
    }

    @Test("a success after a report is reported once")
    func success() throws {
        let scene = try Scene()
        var retry = Retry("read", in: scene.cluster)
        _ = retry.failed(passing, in: scene.cluster)
        retry.succeeded(in: scene.cluster)
        retry.succeeded(in: scene.cluster)
        #expect(scene.reports.map { $0.error == nil } == [false, true])
    }
}
