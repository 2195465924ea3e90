import Concurrency
import KafkaWire

/// A Kafka cluster in this process and in memory, on real sockets of the loopback address, which can be told to
/// misbehave.
///
/// ```swift
/// let fake = try FakeCluster()
/// fake.createTopic("TFI", partitions: 4)
/// fake.inject(.error(.notLeaderOrFollower), into: .produce, times: 2)
/// let client = KafkaClient(try ClientConfiguration(bootstrapServers: fake.bootstrapServers))
/// …
/// await fake.close()
/// ```
///
/// A broker has one thread that takes connections and one for each connection; nothing of it runs on Swift's
/// cooperative pool. Records are kept as the batches that were sent, in memory and for ever.
///
/// Sessions, rebalances and transactions time out by the cluster's own clock. A test that has it `.still` moves it by
/// `advance(by:)`; `expire(member:ofGroup:)` and `expireTransaction(of:)` have the same effect on one alone.
///
/// Known gaps, beside the APIs that aren't announced:
/// - No replication: all brokers share one log for each partition, a record is committed as soon as it is written, and
///   replicas are names only. `acks` all and 1 come to the same, and a follower has what its leader has.
/// - No ACLs, quotas, TLS or SASL; DescribeConfigs and IncrementalAlterConfigs are for topics alone.
/// - `auto.create.topics.enable` is off unless `setTopicCreation(true)` is called. Of a topic's settings
///   `max.message.bytes`, `message.timestamp.type` and `cleanup.policy` (a compacted topic refuses records without a key)
///   have an effect; nothing is deleted or compacted but by a call.
/// - Transactions are decided at once: markers are written before EndTxn is answered, and offsets committed with them.
///   A coordinator has nothing to load, and forgets no transactional id.
/// - A KIP-848 group is assigned at each heartbeat that has news, its patterns are Swift's regular expressions, and its
///   assignors don't look at racks. A group changes its kind while it is empty only. No share or Streams groups.
/// - Groups without members are kept until they are deleted, and so are their offsets.
/// - Message format 2 alone. Compressed records are kept as they are and not looked into.
/// - Topic ids are there at every version that carries them; sessions aren't evicted by age.
public final class FakeCluster: Sendable {
    let state: Monitor<ClusterState>
    private let listeners: Lock<[Int32: Listener]>
    private let versions: SpokenVersions
    private let defaultPartitions: Int
    private let pool = BufferPool(limit: 16 << 20)

    /// Starts brokers, with node ids from 1 on. Bind errors aside nothing of it can fail.
    ///
    /// - Parameters:
    ///   - ports: One for each broker; 0 for any that is free.
    ///   - versions: Which versions the brokers speak.
    ///   - defaultPartitions: How many partitions a topic gets whose creator doesn't say (`num.partitions`).
    ///   - time: How the time passes by which sessions, rebalances and transactions time out.
    /// - Throws: Where a port can't be listened on.
    public init(
        ports: [UInt16], versions: SpokenVersions = .latest, defaultPartitions: Int = 1,
        time: FakeTime = .running
    ) throws(FakeSocketError) {
        self.versions = versions
        self.defaultPartitions = defaultPartitions
        state = Monitor(ClusterState(clock: FakeClock(time)))
        listeners = Lock([:])
        for (index, port) in ports.enumerated() {
            let id = Int32(index + 1)
            state.withLock { $0.nodes[id] = ClusterState.Node(id: id, port: port) }
            do throws(FakeSocketError) {
                try start(broker: id)
            } catch {
                for listener in listeners.withLock({ Array($0.values) }) { listener.stop() }
                throw error
            }
        }
    }

    /// Starts brokers on free ports.
    public convenience init(
        brokers: Int = 1, versions: SpokenVersions = .latest, defaultPartitions: Int = 1,
        time: FakeTime = .running
    ) throws(FakeSocketError) {
        try self.init(
            ports: Array(repeating: 0, count: max(brokers, 1)), versions: versions,
            defaultPartitions: defaultPartitions, time: time)
    }

    deinit {
        for listener in listeners.withLock({ Array($0.values) }) { listener.stop() }
        state.notifyAll()
    }

    /// Stops all brokers; when it returns no thread or descriptor of them is left.
    public func close() async {
        for id in brokerIDs { await stop(broker: id) }
    }

    // MARK: Brokers

    public var brokerIDs: [Int32] { state.withLock { $0.nodes.keys.sorted() } }

    /// Every broker's address, as `bootstrap.servers` has them.
    public var bootstrapServers: String {
        brokerIDs.map { "127.0.0.1:\(port(of: $0))" }.joined(separator: ",")
    }

    /// A broker keeps its port through `stop` and `start`.
    ///
    /// - Returns: 0 where there is no such broker.
    public func port(of broker: Int32) -> UInt16 { state.withLock { $0.nodes[broker]?.port ?? 0 } }

    /// Ends a broker's connections and refuses further ones. The partitions that it leads have no leader until it is
    /// started again, or `elect` gives them one.
    public func stop(broker: Int32) async {
        state.withLock { state in
            state.nodes[broker]?.isRunning = false
            state.sessions.forgetAll(of: broker)
        }
        guard let listener = listeners.withLock({ $0.removeValue(forKey: broker) }) else { return }
        listener.stop()
        state.notifyAll()
        await listener.join()
    }

    /// Starts a broker, the same one again after `stop`.
    ///
    /// - Throws: Where its port can't be listened on.
    public func start(broker: Int32) throws(FakeSocketError) {
        guard let port = state.withLock({ $0.nodes[broker]?.port }), listeners.withLock({ $0[broker] }) == nil
        else { return }
        let listener = try Listener(port: port)
        state.withLock { state in
            state.nodes[broker]?.port = listener.port
            state.nodes[broker]?.isRunning = true
        }
        listeners.withLock { $0[broker] = listener }
        let connection = ClientConnection(
            node: broker, listener: listener, state: state, versions: versions,
            defaultPartitions: defaultPartitions, pool: pool)
        listener.start { connection.serve($0) }
    }

    /// Ends all of a broker's connections; it takes others at once.
    public func hangUp(broker: Int32) {
        listeners.withLock { $0[broker] }?.hangUp()
    }

    // MARK: Faults and requests

    /// Has the next requests meet a fault; several come in the order in which they were injected.
    ///
    /// - Parameters:
    ///   - partition: For errors: the partition to be refused; nil for all that the request names.
    ///   - broker: The broker to meet it; nil for any.
    ///   - times: How many requests.
    public func inject(
        _ fault: Fault, into api: APIKey, partition: TopicPartition? = nil, broker: Int32? = nil, times: Int = 1
    ) {
        state.withLock { state in
            if fault == .held { state.releasesAnswers = false }
            state.faults.add(
                FaultList.Entry(fault: fault, api: api, node: broker, partition: partition, remaining: times))
        }
        state.notifyAll()
    }

    /// Has every answer pass through `change` before the broker sends it.
    ///
    /// - Parameter change: Called with the API, its version and the whole frame, length included, on a broker's thread.
    ///   Nil sends answers as they are.
    package func changeAnswers(_ change: (@Sendable (APIKey, Int16, [UInt8]) -> [UInt8])?) {
        state.withLock { $0.answerChange = change }
    }

    /// Sends the answers that met the fault `.held`. Those that meet it later are not held, until it is injected again.
    public func releaseAnswers() {
        state.withLock { $0.releasesAnswers = true }
        state.notifyAll()
    }

    /// How many answers are held back at the moment. Their requests have been carried out, which those in `requests` may
    /// still be waiting for.
    public var heldAnswers: Int { state.withLock { $0.heldAnswers } }

    /// Takes back the faults that haven't come yet.
    public func clearFaults() {
        state.withLock { $0.faults.removeAll() }
    }

    /// The last requests that were read, at most ten thousand, in their order.
    public var requests: [FakeRequest] { state.withLock { $0.requests.requests } }

    public func clearRequests() {
        state.withLock { $0.requests.removeAll() }
    }

    /// Whether brokers create topics that a client asks for (`auto.create.topics.enable`). Off at first, unlike in Kafka.
    public func setTopicCreation(_ isOn: Bool) {
        state.withLock { $0.createsTopics = isOn }
    }

    /// How long a login counts, as brokers tell clients (`connections.max.reauth.ms`). Brokers do not enforce it.
    package func limitSessions(to lifetime: Duration) {
        state.withLock { $0.sessionLifetime = lifetime }
    }

    /// How many fetch sessions a broker keeps (KIP-227); with 0 clients get none.
    public func limitFetchSessions(to count: Int) {
        state.withLock { $0.sessions.limit = count }
    }
}
