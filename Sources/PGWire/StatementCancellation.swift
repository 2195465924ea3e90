import CPQ
import Concurrency
import Dispatch

/// Cancels a connection's running operation from any task, without affecting later ones.
///
/// A cancel request goes to the server over a separate connection and blocks, so a thread is created for it. The
/// server drops a request that arrives before the statement, so it is repeated until the operation has ended. An
/// operation ends only when no request for it is being sent, so that none hits the next operation. A broken connection
/// has no next operation, so then nothing is awaited: a request to a silent server could take forever.
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
    /// libpq's data for a request; nil until there is a connection.
    @safe private struct Handle {
        // Only the thread that holds the surrounding lock uses it; it is freed with the object that owns the lock.
        nonisolated(unsafe) var pointer: OpaquePointer? = nil
    }

    /// Locked while a request is being sent, and only by threads that may block.
    private let sending = Lock(Handle())
    private let ended = DispatchSemaphore(value: 0)

    deinit {
        sending.withLock { unsafe PQfreeCancel($0.pointer) }
    }

    /// Sets the connection to which requests apply.
    @unsafe func attach(to connection: OpaquePointer) {
        let pointer = unsafe PQgetCancel(connection)
        sending.withLock { handle in
            unsafe PQfreeCancel(handle.pointer)
            unsafe handle.pointer = unsafe pointer
        }
    }

    /// Begins an operation. Called on the connection's thread.
    func begin() -> Operation {
        state.withLock { state in
            state.last += 1
            let operation = Operation(number: state.last)
            state.running = operation
            state.isRequested = false
            return operation
        }
    }

    /// Ends the operation. Called on the connection's thread.
    ///
    /// - Parameter isBroken: Whether the connection is broken.
    /// - Returns: Whether cancellation was requested.
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

    /// Whether cancellation of the running operation was requested.
    var isRequested: Bool {
        state.withLock { $0.running != nil && $0.isRequested }
    }

    /// Cancels an operation, or the running one if nil. Has no effect if it has ended. Doesn't block.
    func request(_ operation: Operation? = nil) {
        let target: Operation? = state.withLock { state in
            guard let running = state.running, !state.isRequested, operation == nil || operation == running else {
                return nil
            }
            state.isRequested = true
            return running
        }
        guard let target else { return }
        // If no thread can be started, the operation's next statement still sees the request.
        _ = startThread {
            while self.send(for: target) {
                _ = self.ended.wait(timeout: .now() + .milliseconds(100))
            }
        }
    }

    /// Sends one request; false if the operation has ended.
    private func send(for operation: Operation) -> Bool {
        sending.withLock { handle in
            guard state.withLock({ $0.running == operation }) else { return false }
            // The text of a failure is ignored: the statement ends on its own or with the connection.
            var text = [CChar](repeating: 0, count: 256)
            if let pointer = unsafe handle.pointer { _ = unsafe PQcancel(pointer, &text, 256) }
            return true
        }
    }
}
