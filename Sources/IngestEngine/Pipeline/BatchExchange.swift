import Concurrency
import KafkaWire

/// Hands batches from the mapper to the sink and back: a fixed number of them, used again and again, so that memory
/// stays flat and a slow database slows the reading down.
final class BatchExchange: Sendable {
    private struct State {
        var empty: [CopyBatch]
        var full: [CopyBatch] = []
        var isClosed = false
        /// Whether the sink has nothing to commit.
        var isSinkWaiting = false
    }

    private let state: Lock<State>
    private let emptied = Signal()
    private let filled = Signal()

    init(batches: [CopyBatch] = []) {
        state = Lock(State(empty: batches))
    }

    /// Begins again with other batches; those that were exchanged before are dropped.
    func reset(batches: [CopyBatch]) {
        state.withLock { $0 = State(empty: batches) }
        emptied.notify()
    }

    // MARK: For the mapper

    /// An empty batch, waiting for the sink to give one back.
    ///
    /// - Throws: `CancellationError`.
    func takeEmpty() async throws -> CopyBatch {
        while true {
            if let batch = state.withLock({ $0.empty.popLast() }) { return batch }
            try Task.checkCancellation()
            await emptied.wait()
        }
    }

    /// Gives the batch that a closure detaches. Both happen at once, so that the sink gets the batches in the order in which
    /// they were filled, whoever detaches them.
    func give(_ detach: () -> CopyBatch?) {
        let isGiven = state.withLock { state in
            guard let batch = detach() else { return false }
            state.full.append(batch)
            return true
        }
        if isGiven { filled.notify() }
    }

    /// Whether the sink waits for a batch, so that a small one is to be given at once.
    var isSinkWaiting: Bool { state.withLock { $0.isSinkWaiting && $0.full.isEmpty } }

    /// No further batch will come.
    func close() {
        state.withLock { $0.isClosed = true }
        filled.notify()
    }

    // MARK: For the sink

    /// The next full batch, waiting for one; nil when the mapper has closed and all were taken.
    ///
    /// - Parameter open: Detaches the batch that is being filled if it is due. It is called if there is no full one.
    /// - Throws: `CancellationError`.
    func takeFull(orOpen open: () -> CopyBatch? = { nil }) async throws -> CopyBatch? {
        while true {
            let (batch, isClosed) = state.withLock { state in
                let batch = state.full.isEmpty ? open() : state.full.removeFirst()
                // Before the mapper is told that its batch is due, or after: one of the two hands it over.
                state.isSinkWaiting = batch == nil
                return (batch, state.isClosed)
            }
            if let batch { return batch }
            if isClosed { return nil }
            try Task.checkCancellation()
            await filled.wait()
        }
    }

    func give(empty batch: CopyBatch) {
        batch.removeAll()
        state.withLock { $0.empty.append(batch) }
        emptied.notify()
    }
}
