import Concurrency

/// What a codec works with, a few hundred kilobytes often, kept to be used for the next batch.
///
/// There is one for each kind in the whole process, since as many are in use at once as batches are worked on at once,
/// whichever client they belong to. What is given back beyond `limit` is freed.
final class ContextPool<Context: AnyObject & Sendable>: Sendable {
    private let idle = Lock<[Context]>([])
    private let limit: Int

    init(keeping limit: Int = 4) {
        self.limit = limit
    }

    /// One that nobody uses, in whatever state its last use left it; nil where there is none.
    func take() -> Context? {
        idle.withLock { $0.popLast() }
    }

    func giveBack(_ context: Context) {
        idle.withLock { idle in
            if idle.count < limit { idle.append(context) }
        }
    }
}
