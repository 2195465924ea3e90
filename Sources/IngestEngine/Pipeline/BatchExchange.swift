import Concurrency
import KafkaWire

/// Passes a fixed number of batches from the mapper to the sink and back, so that memory stays constant and a slow
/// database slows down reading.
final class BatchExchange: Sendable {
    private struct State {
        var empty: [CopyBatch]
        var full: [CopyBatch] = []
        var isClosed = false
        /// Whether the sink is waiting for a batch.
        var isSinkWaiting = false
    }

    private let state: Lock<State>
    private let emptied = Signal()
    private let filled = Signal()

    init(batches: [CopyBatch] = []) {
        state = Lock(State(empty: batches))
    }

    /// Starts over with other batches and drops the previous ones.
    func reset(batches: [CopyBatch]) {
        state.withLock { $0 = State(empty: batches) }
        emptied.notify()
    }

    // MARK: Mapper

    /// Takes an empty batch, and waits until the sink returns one if necessary.
    ///
    /// - Throws: `CancellationError`.
    func takeEmpty() async throws -> CopyBatch {
        while true {
            if let batch = state.withLock({ $0.empty.popLast() }) { return batch }
            try Task.checkCancellation()
            await emptied.wait()
        }
    }

    /// Detaches a batch and passes it to the sink. Both happen under the lock, so that the sink gets batches in the
    /// order in which they were filled, whichever side detaches them.
    func give(_ detach: () -> CopyBatch?) {
        let isGiven = state.withLock { state in
            guard let batch = detach() else { return false }
            state.full.append(batch)
            return true
        }
        if isGiven { filled.notify() }
    }

    /// Whether the sink is waiting, so that even a small batch should be passed at once.
    var isSinkWaiting: Bool { state.withLock { $0.isSinkWaiting && $0.full.isEmpty } }

    /// Signals that no more batches will come.
    func close() {
        state.withLock { $0.isClosed = true }
        filled.notify()
    }

    // MARK: Sink

    /// Takes the next full batch, and waits for one if necessary; nil once the mapper has closed and all batches were
    /// taken.
    ///
    /// - Parameter open: Detaches the batch being filled if it is due. Called if there is no full batch.
    /// - Throws: `CancellationError`.
    func takeFull(orOpen open: () -> CopyBatch? = { nil }) async throws -> CopyBatch? {
        while true {
            let (batch, isClosed) = state.withLock { state in
                let batch = state.full.isEmpty ? open() : state.full.removeFirst()
                // The mapper finds its batch due either before or after this line, so one of the two sides passes it
                // on.
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
