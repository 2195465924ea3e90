import Concurrency
import Dispatch

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Runs an actor's jobs on one thread of its own, where they may block.
///
/// The thread begins with the first job. ``retire()`` lets it end once nothing is left to do; a job that comes
/// later still gets a thread, for as long as it takes, so that no call waits for ever.
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
        // Where the system has no thread left, the jobs run here: late and in the way of others, but they run.
        if needsThread, !startThread({ self.run() }) { run(untilIdle: true) }
    }

    /// Ends the thread when it has nothing left to do.
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
