import Concurrency
import KafkaWire

/// Hands batches from the mapper to the sink and back: a fixed number of them, used again and again, so that memory
/// stays flat and a slow database slows the reading down.
final class BatchExchange: Sendable {
    private struct State {
        var empty: [CopyBatch]
        var full: [CopyBatch] = []
        var isClosed = false
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

    func give(full batch: CopyBatch) {
        state.withLock { $0.full.append(batch) }
        filled.notify()
    }

    /// No further batch will come.
    func close() {
        state.withLock { $0.isClosed = true }
        filled.notify()
    }

    // MARK: For the sink

    /// The next full batch, waiting for one; nil when the mapper has closed and all were taken.
    ///
    /// - Throws: `CancellationError`.
    func takeFull() async throws -> CopyBatch? {
        while true {
            let (batch, isClosed) = state.withLock { state in
                (state.full.isEmpty ? nil : state.full.removeFirst(), state.isClosed)
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
