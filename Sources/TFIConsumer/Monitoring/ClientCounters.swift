import Concurrency

/// Counters of a run's Kafka clients. They only grow.
final class ClientCounters: Sendable {
    struct Counts: Sendable {
        var connections = 0
        var failedConnections = 0
        /// By what happened to the partitions.
        var rebalances: [String: Int] = ["assigned": 0, "revoked": 0, "lost": 0]
    }

    private let state = Lock(Counts())

    var counts: Counts { state.withLock { $0 } }

    func count(_ change: (inout Counts) -> Void) { state.withLock { change(&$0) } }
}
