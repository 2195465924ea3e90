import CommandLineSupport

/// Reports a run's readiness, health and status to the service manager.
///
/// A run is ready once it reads, or once it waits for a prerequisite that does not exist yet: the wait may take any
/// time, and is not a failed start.
struct ServiceReports: Sendable {
    let manager: ServiceManager
    let monitor: RunMonitor
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    /// Reports until the task is cancelled. While no task runs, the watchdog gets no signal.
    func run() async {
        var isReady = false
        var status = ""
        repeat {
            if !isReady, monitor.hasBegun || !monitor.observer.waits.all.isEmpty {
                isReady = true
                manager.notify("READY=1")
            }
            if monitor.healthProblem == nil, manager.watchdogInterval != nil { manager.notify("WATCHDOG=1") }
            let present = monitor.blockers.first ?? "writing records to the database"
            if present != status {
                status = present
                manager.notify("STATUS=\(ForeignText.visible(present))")
            }
        } while (try? await sleep(min(.seconds(1), manager.watchdogInterval ?? .seconds(1)))) != nil
    }
}
