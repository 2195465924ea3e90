import Synchronization

/// What one fetch answer holds of one partition.
struct FetchedPartition: Sendable {
    let partition: TopicPartition
    /// The partition's place in the buffer's list of partitions.
    let slot: Int
    /// The offset that was asked for; the first batch may begin before it.
    let firstOffset: Int64
    /// The offset after the last whole batch.
    let nextOffset: Int64
    /// Empty where nothing but the position moves.
    let records: ByteSlice
    let assignment: Int
    /// Opened when the first part of the answer is taken: its broker may then be asked for more.
    let gate: Signal
}

/// Between fetching and reading: answers wait here until the consumer takes them.
///
/// It is bounded by its gates: a broker has at most one answer in it, and is asked for the next when the consumer
/// begins to take this one.
final class FetchBuffer: Sendable {
    private struct Progress {
        /// The offset after the last batch that the consumer was given.
        var delivered: Int64?
        var highWatermark: Int64?
    }

    private struct State {
        var queue: [FetchedPartition] = []
        var failure: KafkaError?
        var isFinished = false
        /// Goes up with each change of what is fetched; what was fetched for an earlier one is dropped.
        var assignment = 0
        var partitions: [TopicPartition] = []
        var progress: [Progress] = []
    }

    private let state = Mutex(State())
    private let signal = Signal()

    // MARK: For the fetcher

    func assign(_ partitions: [TopicPartition]) -> Int {
        let (assignment, dropped) = state.withLock { state in
            state.assignment += 1
            state.partitions = partitions
            state.progress = Array(repeating: Progress(), count: partitions.count)
            let dropped = state.queue
            state.queue = []
            return (state.assignment, dropped)
        }
        for part in dropped { part.gate.notify() }
        return assignment
    }

    func append(_ parts: [FetchedPartition]) {
        let stale = state.withLock { state in
            state.queue += parts.filter { $0.assignment == state.assignment }
            return parts.filter { $0.assignment != state.assignment }
        }
        for part in stale { part.gate.notify() }
        signal.notify()
    }

    /// Tells where a partition is read from: its beginning, or where it goes on after an offset that its log doesn't
    /// have. Then the position moves when all that was fetched before has been read.
    func began(slot: Int, at offset: Int64, assignment: Int) {
        state.withLock { state in
            guard assignment == state.assignment else { return }
            if state.progress[slot].delivered == nil {
                state.progress[slot].delivered = offset
            } else {
                state.queue.append(
                    FetchedPartition(
                        partition: state.partitions[slot], slot: slot, firstOffset: offset, nextOffset: offset,
                        records: ByteSlice([]), assignment: assignment, gate: Signal()))
            }
        }
        signal.notify()
    }

    func saw(highWatermark: Int64, slot: Int, assignment: Int) {
        state.withLock { state in
            if assignment == state.assignment { state.progress[slot].highWatermark = highWatermark }
        }
    }

    /// The consumer's next step throws this.
    func fail(_ error: KafkaError) {
        state.withLock { $0.failure = $0.failure ?? error }
        signal.notify()
    }

    func finish() {
        let dropped = state.withLock { state in
            state.isFinished = true
            let dropped = state.queue
            state.queue = []
            return dropped
        }
        signal.notify()
        for part in dropped { part.gate.notify() }
    }

    // MARK: For the consumer

    enum Taken {
        case part(FetchedPartition)
        /// Nothing came before the time was up.
        case nothing
        case finished
    }

    /// The next part of an answer, waiting for one if need be.
    ///
    /// - Throws: What `fail` was given, after everything that was fetched before; `CancellationError`.
    func take(timeout: Duration?) async throws -> Taken {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            let taken = try poll()
            if case .nothing = taken {} else { return taken }
            if let deadline, .now >= deadline { return .nothing }
            try Task.checkCancellation()
            await signal.wait(until: deadline)
        }
    }

    private func poll() throws(KafkaError) -> Taken {
        let result: Result<Taken, KafkaError> = state.withLock { state in
            while !state.queue.isEmpty {
                let part = state.queue.removeFirst()
                if !part.records.isEmpty { return .success(.part(part)) }
                state.progress[part.slot].delivered = part.nextOffset
            }
            if let failure = state.failure { return .failure(failure) }
            return .success(state.isFinished ? .finished : .nothing)
        }
        let taken = try result.get()
        if case .part(let part) = taken { part.gate.notify() }
        return taken
    }

    func delivered(slot: Int, nextOffset: Int64, assignment: Int) {
        state.withLock { state in
            if assignment == state.assignment { state.progress[slot].delivered = nextOffset }
        }
    }

    func isCurrent(_ assignment: Int) -> Bool {
        state.withLock { $0.assignment == assignment }
    }

    var positions: [TopicPartition: Int64] {
        state.withLock { state in
            var positions: [TopicPartition: Int64] = [:]
            for (partition, progress) in zip(state.partitions, state.progress) {
                positions[partition] = progress.delivered
            }
            return positions
        }
    }

    var highWatermarks: [TopicPartition: Int64] {
        state.withLock { state in
            var watermarks: [TopicPartition: Int64] = [:]
            for (partition, progress) in zip(state.partitions, state.progress) {
                watermarks[partition] = progress.highWatermark
            }
            return watermarks
        }
    }

    var isCaughtUp: Bool {
        state.withLock { state in
            state.queue.isEmpty
                && state.progress.allSatisfy { progress in
                    guard let delivered = progress.delivered, let end = progress.highWatermark else { return false }
                    return delivered >= end
                }
        }
    }
}
