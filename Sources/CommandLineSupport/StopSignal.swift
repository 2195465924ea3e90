import Concurrency
import Dispatch
import Foundation

/// The user's request to stop the program: SIGINT or SIGTERM, or a call of `request()`.
public final class StopSignal: Sendable {
    private struct State {
        var isRequested = false
        var lastWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Lock(State())

    /// Creates a stop signal that handles no Unix signals.
    public init() {}

    /// Handles SIGINT and SIGTERM from now on. A second signal ends the process at once, with status 130 or 143, as if
    /// it had not been caught.
    public static func listening() -> StopSignal {
        let stop = StopSignal()
        let queue = DispatchQueue(label: "signals")
        for number in [SIGINT, SIGTERM] {
            // On some systems a dispatch source receives a signal only if it is ignored.
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            // The handler retains its source, so both live as long as the process.
            source.setEventHandler {
                if !stop.request() { _exit(128 + number) }
                _ = source
            }
            source.resume()
        }
        return stop
    }

    public var isRequested: Bool { state.withLock { $0.isRequested } }

    /// Requests the stop.
    ///
    /// - Returns: Whether this was the first request.
    @discardableResult
    public func request() -> Bool {
        let waiters: [CheckedContinuation<Void, Never>]? = state.withLock { state in
            if state.isRequested { return nil }
            state.isRequested = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters ?? [] { waiter.resume() }
        return waiters != nil
    }

    /// Waits until a stop is requested or the task is cancelled.
    public func wait() async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    // A later cancellation finds the waiter, and an earlier one is detected here.
                    if state.isRequested || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }

    /// Runs work, which is cancelled if a stop is requested first.
    ///
    /// - Returns: The work's value; nil if a stop was requested first.
    public func ending<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                await self.wait()
                return nil
            }
            defer { group.cancelAll() }
            do {
                return try await group.next() ?? nil
            } catch {
                if isRequested, !Task.isCancelled { return nil }
                throw error
            }
        }
    }
}
