import Concurrency
import KafkaWire
import Synchronization

/// Tracks the outcome of the records that a producer has accepted.
final class DeliveryLog: Sendable {
    private let firstError = Lock<KafkaError?>(nil)
    private let hasError = Atomic(false)
    private let (batches, batchAdded) = AsyncStream<Delivery>.makeStream()

    /// The error of the first batch that was not delivered; nil if none failed.
    var error: KafkaError? {
        // Checked for each record, so avoid the lock in the usual case.
        hasError.load(ordering: .relaxed) ? firstError.withLock { $0 } : nil
    }

    func add(_ delivery: Delivery) {
        // One record of each batch is enough, since all of them have the same outcome.
        if delivery.isFirstOfBatch { batchAdded.yield(delivery) }
    }

    /// Call after the last `add`.
    func end() { batchAdded.finish() }

    /// Waits until everything that was added has been delivered or has failed.
    func watch() async {
        for await delivery in batches {
            do throws(KafkaError) {
                try await delivery.batchDelivered()
            } catch {
                firstError.withLock { $0 = $0 ?? error }
                hasError.store(true, ordering: .relaxed)
            }
        }
    }
}
