import Concurrency

/// Runs the blocking jobs that open a connection: resolving host names, reading certificates.
///
/// At most 16 threads run them. A thread ends when no job is left.
enum BlockingWork {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var threads = 0
    }

    /// Guards the jobs and the number of threads.
    private static let state = Lock(State())
    private static let mostThreads = 16

    /// Runs a job on another thread, after all earlier jobs.
    ///
    /// - Returns: Whether the job will run; false if the system has no thread left.
    static func start(_ job: @escaping @Sendable () -> Void) -> Bool {
        let needsThread = state.withLock { state in
            state.jobs.append(job)
            guard state.threads < mostThreads else { return false }
            state.threads += 1
            return true
        }
        guard needsThread, !startThread(name: "kafka setup", stackSize: 512 << 10, run) else { return true }
        return state.withLock { state in
            state.threads -= 1
            // Another thread runs the jobs if there is one. Otherwise this is the only job.
            if state.threads == 0 { state.jobs = [] }
            return state.threads > 0
        }
    }

    private static func run() {
        while true {
            let job = state.withLock { state in
                if state.jobs.isEmpty {
                    state.threads -= 1
                    return nil as (@Sendable () -> Void)?
                }
                return state.jobs.removeFirst()
            }
            guard let job else { return }
            job()
        }
    }
}

/// The result of a `BlockingWork` job, for the connection that needs it.
final class PendingResult<Value: Sendable>: Sendable {
    private enum State {
        case pending
        case done(Value)
        case cancelled
    }

    /// Guards the result.
    private let state = Lock(State.pending)

    /// Starts a job.
    ///
    /// - Parameters:
    ///   - work: Not called if the result is cancelled before its turn.
    ///   - wake: Called once there is a result.
    /// - Returns: nil if the system has no thread left.
    static func start(
        _ work: @escaping @Sendable () -> Value, then wake: @escaping @Sendable () -> Void
    ) -> PendingResult? {
        let result = PendingResult()
        let isStarted = BlockingWork.start {
            guard !result.isCancelled else { return }
            let value = work()
            result.state.withLock { state in
                if case .pending = state { state = .done(value) }
            }
            wake()
        }
        return isStarted ? result : nil
    }

    /// The result; nil until the job has ended.
    var value: Value? {
        state.withLock { state in
            if case .done(let value) = state { value } else { nil }
        }
    }

    private var isCancelled: Bool {
        state.withLock { state in
            if case .cancelled = state { true } else { false }
        }
    }

    /// Drops the result. A job that has begun runs to its end.
    func cancel() {
        state.withLock { $0 = .cancelled }
    }
}
