import CommandLineSupport

/// Receives what a run or one of its workers reports: log lines, waits and metrics.
public struct IngestObserver: Sendable {
    public var log: Log
    /// The current waits.
    public let waits: CurrentWaits
    /// The run's counters.
    public let metrics: IngestMetrics

    public init(log: Log = .none, waits: CurrentWaits = CurrentWaits(), metrics: IngestMetrics = IngestMetrics()) {
        self.log = log
        self.waits = waits
        self.metrics = metrics
    }

    /// The observer of one of several workers.
    public func ofWorker(_ number: Int) -> IngestObserver {
        var observer = self
        observer.log = log.adding("worker", .integer(number))
        return observer
    }
}
