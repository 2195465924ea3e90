import Concurrency

/// A pool of codec contexts for reuse; a context often takes a few hundred kilobytes.
///
/// Each kind of context has one pool per process. The number of contexts in use depends on the batches that are
/// processed at the same time, not on the number of clients. Contexts returned beyond `limit` are freed.
final class ContextPool<Context: AnyObject & Sendable>: Sendable {
    private let idle = Lock<[Context]>([])
    private let limit: Int

    init(keeping limit: Int = 4) {
        self.limit = limit
    }

    /// Removes a context from the pool, in the state that its last user left; nil if the pool is empty.
    func take() -> Context? {
        idle.withLock { $0.popLast() }
    }

    func giveBack(_ context: Context) {
        idle.withLock { idle in
            if idle.count < limit { idle.append(context) }
        }
    }
}
