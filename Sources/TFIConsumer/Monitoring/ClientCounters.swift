import Concurrency

/// What the Kafka clients of a run have done, in counts that only grow.
final class ClientCounters: Sendable {
    struct Counts: Sendable {
        var connections = 0
        var failedConnections = 0
        /// By what has become of the partitions.
        var rebalances: [String: Int] = ["assigned": 0, "revoked": 0, "lost": 0]
    }

    private let state = Lock(Counts())

    var counts: Counts { state.withLock { $0 } }

    func count(_ change: (inout Counts) -> Void) { state.withLock { change(&$0) } }
}
