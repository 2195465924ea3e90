import Concurrency
import KafkaWire

/// An in-memory Kafka cluster in this process, on real loopback sockets, into which tests can inject faults.
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
/// Each broker has one thread that accepts connections and one thread per connection. None of them runs on Swift's
/// cooperative pool. Records stay in memory, as the batches that clients sent, until a call removes them.
///
/// Sessions, rebalances and transactions time out by the cluster's own clock. If it is `.still`, a test advances it
/// with `advance(by:)`. `expire(member:ofGroup:)` and `expireTransaction(of:)` time out one member or one transaction.
///
/// Known gaps, besides the APIs that are not announced:
/// - No replication: all brokers share one log per partition, a record is committed once it is written, and replicas
///   are only names. `acks` all and 1 are the same, and a follower has what its leader has.
/// - No ACLs, quotas, TLS or SASL; DescribeConfigs and IncrementalAlterConfigs only for topics.
/// - `auto.create.topics.enable` is off unless `setTopicCreation(true)` is called. Of a topic's settings only
///   `max.message.bytes`, `message.timestamp.type` and `cleanup.policy` (a compacted topic refuses records without a
///   key) have an effect. Only calls delete or compact records.
/// - Transactions are decided at once: the broker writes the markers and commits the offsets before it answers EndTxn.
///   Coordinators never load state, and never forget a transactional id.
/// - A KIP-848 group is assigned at each heartbeat that changes something, its patterns are Swift's regular
///   expressions, and its assignors ignore racks. A group changes its type only while it is empty. No share or Streams
///   groups.
/// - Groups without members, and their offsets, are kept until they are deleted.
/// - Message format 2 only. Compressed records are stored as they are and never decompressed.
/// - Topic ids are used in every version that carries them. Sessions are never evicted by age.
public final class FakeCluster: Sendable {
    let state: Monitor<ClusterState>
    private let listeners: Lock<[Int32: Listener]>
    private let versions: SpokenVersions
    private let defaultPartitions: Int
    private let pool = BufferPool(limit: 16 << 20)

    /// Starts brokers with node ids from 1 upwards.
    ///
    /// - Parameters:
    ///   - ports: One port per broker; 0 for any free port.
    ///   - versions: The API versions that the brokers support.
    ///   - defaultPartitions: The number of partitions of a topic whose creator gives none (`num.partitions`).
    ///   - time: How time passes for the timeouts of sessions, rebalances and transactions.
    /// - Throws: If a port cannot be bound. Nothing else fails.
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

    /// Stops all brokers. All their threads and descriptors are gone when it returns.
    public func close() async {
        for id in brokerIDs { await stop(broker: id) }
    }

    // MARK: Brokers

    public var brokerIDs: [Int32] { state.withLock { $0.nodes.keys.sorted() } }

    /// The addresses of all brokers, in the form of `bootstrap.servers`.
    public var bootstrapServers: String {
        brokerIDs.map { "127.0.0.1:\(port(of: $0))" }.joined(separator: ",")
    }

    /// The port of a broker, which keeps it through `stop` and `start`.
    ///
    /// - Returns: 0 if there is no such broker.
    public func port(of broker: Int32) -> UInt16 { state.withLock { $0.nodes[broker]?.port ?? 0 } }

    /// Closes a broker's connections and refuses further ones. Its partitions have no leader until the broker starts
    /// again, or `elect` gives them one.
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

    /// Starts a broker again after `stop`.
    ///
    /// - Throws: If its port cannot be bound.
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

    /// Closes all of a broker's connections. It accepts new ones at once.
    public func hangUp(broker: Int32) {
        listeners.withLock { $0[broker] }?.hangUp()
    }

    // MARK: Faults and requests

    /// Injects a fault into the next requests. Several faults take effect in the order of their injection.
    ///
    /// - Parameters:
    ///   - partition: For errors: the partition to refuse; nil for all partitions of the request.
    ///   - broker: The broker that injects it; nil for any.
    ///   - times: The number of requests.
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

    /// Passes every answer through `change` before the broker sends it.
    ///
    /// - Parameter change: Called on a broker's thread with the API, its version and the whole frame including its
    ///   length. Nil sends answers unchanged.
    package func changeAnswers(_ change: (@Sendable (APIKey, Int16, [UInt8]) -> [UInt8])?) {
        state.withLock { $0.answerChange = change }
    }

    /// Sends the answers held by the fault `.held`. Later answers are not held until the fault is injected again.
    public func releaseAnswers() {
        state.withLock { $0.releasesAnswers = true }
        state.notifyAll()
    }

    /// The number of answers being held. Their requests have been carried out; requests in `requests` may still be
    /// waiting.
    public var heldAnswers: Int { state.withLock { $0.heldAnswers } }

    /// Removes the faults that have not taken effect yet.
    public func clearFaults() {
        state.withLock { $0.faults.removeAll() }
    }

    /// The most recent requests, at most ten thousand, in the order in which the brokers read them.
    public var requests: [FakeRequest] { state.withLock { $0.requests.requests } }

    public func clearRequests() {
        state.withLock { $0.requests.removeAll() }
    }

    /// Sets whether brokers create topics that a client asks for (`auto.create.topics.enable`). Off by default, unlike
    /// in Kafka.
    public func setTopicCreation(_ isOn: Bool) {
        state.withLock { $0.createsTopics = isOn }
    }

    /// Sets the session lifetime that brokers report after a login (`connections.max.reauth.ms`). Brokers do not
    /// enforce it.
    package func limitSessions(to lifetime: Duration) {
        state.withLock { $0.sessionLifetime = lifetime }
    }

    /// Sets how many fetch sessions a broker keeps (KIP-227); with 0 clients get none.
    public func limitFetchSessions(to count: Int) {
        state.withLock { $0.sessions.limit = count }
    }
}
