import CPQ
import Concurrency
import Dispatch

/// Cancels what a connection is doing, from any task, and nothing that it does later.
///
/// A request to cancel goes to the server over a connection of its own and blocks, so a thread is made for it. The
/// server drops a request that arrives before the statement does; so it is repeated until the operation has ended.
/// And an operation ends only when no request for it is under way, so that none hits the next one. After the connection
/// broke there is no next one, and nothing is waited for: a request to a server that is silent may take for ever.
///
/// Source: PostgreSQL manual, "Canceling Queries in Progress".
@safe final class StatementCancellation: Sendable {
    /// One call: a statement, or a transaction up to its COMMIT.
    struct Operation: Equatable, Sendable {
        fileprivate let number: UInt64
    }

    private struct State {
        var last: UInt64 = 0
        var running: Operation?
        var isRequested = false
    }

    private let state = Lock(State())
    /// What libpq needs for a request: nothing until there is a connection.
    @safe private struct Handle {
        // Used by the one thread that holds the lock around it; freed with the object that holds the lock.
        nonisolated(unsafe) var pointer: OpaquePointer? = nil
    }

    /// Locked while a request is under way, by threads that may block only.
    private let sending = Lock(Handle())
    private let ended = DispatchSemaphore(value: 0)

    deinit {
        sending.withLock { unsafe PQfreeCancel($0.pointer) }
    }

    /// Says where requests go to.
    @unsafe func attach(to connection: OpaquePointer) {
        let pointer = unsafe PQgetCancel(connection)
        sending.withLock { handle in
            unsafe PQfreeCancel(handle.pointer)
            unsafe handle.pointer = unsafe pointer
        }
    }

    /// Begins an operation, on the connection's thread.
    func begin() -> Operation {
        state.withLock { state in
            state.last += 1
            let operation = Operation(number: state.last)
            state.running = operation
            state.isRequested = false
            return operation
        }
    }

    /// Ends the operation, on the connection's thread; returns whether it was to be cancelled.
    ///
    /// - Parameter isBroken: Whether the connection is broken.
    @discardableResult
    func end(isBroken: Bool) -> Bool {
        let wasRequested = state.withLock { state in
            state.running = nil
            return state.isRequested
        }
        if wasRequested {
            ended.signal()
            if !isBroken { sending.withLock { _ in } }
        }
        return wasRequested
    }

    /// Whether the running operation is to be cancelled.
    var isRequested: Bool {
        state.withLock { $0.running != nil && $0.isRequested }
    }

    /// Cancels an operation, or the running one; without effect where it has ended. Doesn't block.
    func request(_ operation: Operation? = nil) {
        let target: Operation? = state.withLock { state in
            guard let running = state.running, !state.isRequested, operation == nil || operation == running else {
                return nil
            }
            state.isRequested = true
            return running
        }
        guard let target else { return }
        // Without a thread the next statement of the operation still sees the request.
        _ = startThread {
            while self.send(for: target) {
                _ = self.ended.wait(timeout: .now() + .milliseconds(100))
            }
        }
    }

    /// Sends one request, unless the operation has ended.
    private func send(for operation: Operation) -> Bool {
        sending.withLock { handle in
            guard state.withLock({ $0.running == operation }) else { return false }
            // The text of a failure has no reader: the statement ends by itself or with the connection.
            var text = [CChar](repeating: 0, count: 256)
            if let pointer = unsafe handle.pointer { _ = unsafe PQcancel(pointer, &text, 256) }
            return true
        }
    }
}
