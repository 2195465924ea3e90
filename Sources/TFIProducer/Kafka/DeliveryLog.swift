import Concurrency
import KafkaWire
import Synchronization

/// Watches what becomes of the records that a producer took in.
final class DeliveryLog: Sendable {
    private let firstError = Lock<KafkaError?>(nil)
    private let hasError = Atomic(false)
    private let (batches, batchAdded) = AsyncStream<Delivery>.makeStream()

    /// Why a batch wasn't delivered, for the first that wasn't.
    var error: KafkaError? {
        // Asked for with each record: mostly there is nothing to take a lock for.
        hasError.load(ordering: .relaxed) ? firstError.withLock { $0 } : nil
    }

    func add(_ delivery: Delivery) {
        // One record of each batch is enough to watch: it tells of the others as well.
        if delivery.isFirstOfBatch { batchAdded.yield(delivery) }
    }

    /// Nothing is added any more.
    func end() { batchAdded.finish() }

    /// Watches until all that was added before the end is settled.
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
