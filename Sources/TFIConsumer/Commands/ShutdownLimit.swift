import CommandLineSupport
import Dispatch
import Foundation

/// Ends the process if it has not ended by itself some time after a stop was requested.
///
/// Everything that waits has a limit of its own. This one is for what can't be cancelled, such as a full pipe behind
/// standard output or a call into the system that does not return. Nothing is lost: the server rolls back what is not
/// committed, and the next run reads it again.
enum ShutdownLimit {
    /// How long an orderly end may take.
    static let limit = Duration.milliseconds(7_500)

    static func enforce(after stop: StopSignal) {
        Task {
            await stop.wait()
            // On a thread of its own, in case all others are blocked. The process ends before the queue does.
            DispatchQueue(label: "shutdown limit").asyncAfter(deadline: .now() + limit / .seconds(1)) {
                StatusLine.shared.message(
                    "tfi-consumer: the end took too long: what wasn't committed will be read again")
                _exit(ExitStatus.unavailable.rawValue)
            }
        }
    }
}
