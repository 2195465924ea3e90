import CommandLineSupport

/// Where a run, or a worker of it, tells what it does.
public struct IngestObserver: Sendable {
    public var log: Log
    /// What the run waits for.
    public let waits: CurrentWaits
    /// What the run has done.
    public let metrics: IngestMetrics

    public init(log: Log = .none, waits: CurrentWaits = CurrentWaits(), metrics: IngestMetrics = IngestMetrics()) {
        self.log = log
        self.waits = waits
        self.metrics = metrics
    }

    /// That of one worker of several.
    public func ofWorker(_ number: Int) -> IngestObserver {
        var observer = self
        observer.log = log.adding("worker", .integer(number))
        return observer
    }
}
