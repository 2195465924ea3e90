import CommandLineSupport
import Dispatch
import Foundation

/// Ends the process if it has not ended by itself some time after a stop was requested.
///
/// Every wait has its own limit. This one is for calls that cannot be cancelled, such as a write to a full pipe at
/// standard output, or a system call that does not return. Nothing is lost: the server rolls back uncommitted rows, and
/// the next run reads them again.
enum ShutdownLimit {
    /// How long an orderly shutdown may take.
    static let limit = Duration.milliseconds(7_500)

    static func enforce(after stop: StopSignal) {
        Task {
            await stop.wait()
            // On its own thread, in case all others are blocked. The process ends before the queue does.
            DispatchQueue(label: "shutdown limit").asyncAfter(deadline: .now() + limit / .seconds(1)) {
                StatusLine.shared.message(
                    "tfi-consumer: the shutdown took too long; the next run reads again what was not committed")
                _exit(ExitStatus.unavailable.rawValue)
            }
        }
    }
}
