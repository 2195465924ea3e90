import Concurrency
import Dispatch

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Runs an actor's jobs on a dedicated thread, where they may block.
///
/// The first job starts the thread. After ``retire()`` the thread ends once it is idle. A later job still gets a
/// thread, so that no call waits forever.
final class ConnectionThread: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var hasThread = false
        var isRetired = false
    }

    private let state = Lock(State())
    private let wake = DispatchSemaphore(value: 0)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let needsThread = state.withLock { state in
            state.jobs.append(job)
            defer { state.hasThread = true }
            return !state.hasThread
        }
        wake.signal()
        // If the system can't start another thread, run the jobs here: late and blocking the caller, but they run.
        if needsThread, !startThread({ self.run() }) { run(untilIdle: true) }
    }

    /// Ends the thread once it is idle.
    func retire() {
        state.withLock { $0.isRetired = true }
        wake.signal()
    }

    private func run(untilIdle: Bool = false) {
        while true {
            let jobs: [UnownedJob]? = state.withLock { state in
                defer { state.jobs = [] }
                guard state.jobs.isEmpty, untilIdle || state.isRetired else { return state.jobs }
                state.hasThread = false
                return nil
            }
            guard let jobs else { return }
            if jobs.isEmpty { wake.wait() }
            for job in jobs { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }
}
