import CommandLineSupport

/// Where a run, or a worker of it, tells what it does.
package struct IngestObserver: Sendable {
    package var log: Log
    /// What the run waits for.
    package let waits: CurrentWaits
    /// What the run has done.
    package let metrics: IngestMetrics

    package init(log: Log = .none, waits: CurrentWaits = CurrentWaits(), metrics: IngestMetrics = IngestMetrics()) {
        self.log = log
        self.waits = waits
        self.metrics = metrics
    }

    /// That of one worker of several.
    package func ofWorker(_ number: Int) -> IngestObserver {
        var observer = self
        observer.log = log.adding("worker", .integer(number))
        return observer
    }
}
