import Concurrency

/// How a batch ended, for all who wait for a record in it.
///
/// A batch that was too large for its topic ends in two, each with an outcome of its own.
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

    /// Waits for the outcome of one record.
    ///
    /// - Returns: That of the batch that it ended up in, and its index there.
    func value(of index: Int) async -> (outcome: Outcome, index: Int) {
        var (batch, index) = (self, index)
        while true {
            switch await batch.end.value() {
            case .settled(let outcome): return (outcome, index)
            case .split(let first, let second, let start):
                if index < start {
                    batch = first
                } else {
                    batch = second
                    index -= start
                }
            }
        }
    }

    /// Waits until every record is settled. The first error where there is one.
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
}
