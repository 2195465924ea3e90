import Concurrency

/// A batch's outcome, shared by the deliveries of all its records.
///
/// A batch can be split in two, for example if it is too large for its topic. Each part has an outcome of its own.
final class BatchOutcome: Sendable {
    struct Written: Sendable {
        let baseOffset: Int64
        /// In milliseconds since 1970; -1 where the records keep their own timestamps.
        let logAppendTime: Int64
    }

    typealias Outcome = Result<Written, KafkaError>

    private enum End: Sendable {
        case settled(Outcome)
        /// The second part begins with the record of this index.
        case split(BatchOutcome, BatchOutcome, at: Int)
    }

    let partition: TopicPartition
    private let end = Promise<End>()

    init(partition: TopicPartition) {
        self.partition = partition
    }

    func settle(_ outcome: Outcome) {
        end.fulfil(.settled(outcome))
    }

    func split(into first: BatchOutcome, and second: BatchOutcome, at index: Int) {
        end.fulfil(.split(first, second, at: index))
    }

    /// Waits for the outcome of one record. Not cancellable.
    ///
    /// - Returns: The outcome of the batch that the record ended up in, and the record's index there.
    func value(of index: Int) async -> (outcome: Outcome, index: Int) {
        var (batch, index) = (self, index)
        while true {
            if let found = batch.follow(await batch.end.value(), &index, next: &batch) { return (found, index) }
        }
    }

    /// Waits for the outcome of one record, or until the task is cancelled.
    ///
    /// - Returns: As `value(of:)`; nil if the task was cancelled first.
    func valueUnlessCancelled(of index: Int) async -> (outcome: Outcome, index: Int)? {
        var (batch, index) = (self, index)
        while true {
            guard let end = await batch.end.valueUnlessCancelled() else { return nil }
            if let found = batch.follow(end, &index, next: &batch) { return (found, index) }
        }
    }

    /// - Returns: nil if the batch was split: `next` and `index` are then the record's new batch and its index there.
    private func follow(_ end: End, _ index: inout Int, next: inout BatchOutcome) -> Outcome? {
        switch end {
        case .settled(let outcome): return outcome
        case .split(let first, _, let start) where index < start: next = first
        case .split(_, let second, let start):
            next = second
            index -= start
        }
        return nil
    }

    /// Waits until every record has succeeded or failed. Not cancellable.
    ///
    /// - Returns: The first error; nil if there is none.
    func allSettled() async -> KafkaError? {
        var unsettled = [self]
        var error: KafkaError?
        while let batch = unsettled.popLast() {
            switch await batch.end.value() {
            case .settled(.failure(let failure)): error = error ?? failure
            case .settled(.success): continue
            case .split(let first, let second, _): unsettled += [second, first]
            }
        }
        return error
    }

    /// Waits until every record has succeeded or failed, or until the task is cancelled.
    func allSettledUnlessCancelled() async {
        var unsettled = [self]
        while let batch = unsettled.popLast() {
            switch await batch.end.valueUnlessCancelled() {
            case nil: return
            case .settled: continue
            case .split(let first, let second, _): unsettled += [second, first]
            }
        }
    }
}
