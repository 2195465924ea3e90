import CommandLineSupport

/// What a run tells the service manager that has started it: that it is ready, and how it is.
///
/// A run is ready once it reads, or once it waits for something that isn't there yet: that may take any time, and is no
/// failed start.
struct ServiceReports: Sendable {
    let manager: ServiceManager
    let monitor: RunMonitor
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    /// Tells it until the task is cancelled. The manager's watchdog hears nothing while no task runs.
    func run() async {
        var isReady = false
        var status = ""
        repeat {
            if !isReady, monitor.hasBegun || !monitor.observer.waits.all.isEmpty {
                isReady = true
                manager.notify("READY=1")
            }
            if monitor.illness == nil, manager.watchdogInterval != nil { manager.notify("WATCHDOG=1") }
            let present = monitor.hindrances.first ?? "bringing records into the database"
            if present != status {
                status = present
                manager.notify("STATUS=\(ForeignText.visible(present))")
            }
        } while (try? await sleep(min(.seconds(1), manager.watchdogInterval ?? .seconds(1)))) != nil
    }
}
