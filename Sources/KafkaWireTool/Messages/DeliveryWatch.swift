import Concurrency
import KafkaWire

/// Waits for deliveries beside the sending, in the order in which they were taken in, and keeps the first failure.
///
/// One record of each batch is enough to watch: it tells of the others as well, also where the batch was too large for
/// its topic and was sent in parts, of which one can fail alone.
final class DeliveryWatch: Sendable {
    private let deliveries: AsyncStream<Delivery>.Continuation
    private let watching: Task<KafkaError?, Never>
    private let firstFailure: FirstFailure

    init() {
        let (stream, continuation) = AsyncStream<Delivery>.makeStream()
        deliveries = continuation
        let first = FirstFailure()
        firstFailure = first
        watching = Task {
            for await delivery in stream {
                do throws(KafkaError) { try await delivery.batchDelivered() } catch { first.set(error) }
            }
            return first.value
        }
    }

    func add(_ delivery: Delivery) { deliveries.yield(delivery) }

    /// - Throws: The first failure so far.
    func check() throws(KafkaError) {
        if let error = firstFailure.value { throw error }
    }

    /// Waits for all.
    ///
    /// - Throws: The first failure.
    func finish() async throws(KafkaError) {
        deliveries.finish()
        if let error = await watching.value { throw error }
    }
}

private final class FirstFailure: Sendable {
    private let error = Lock<KafkaError?>(nil)

    var value: KafkaError? { error.withLock { $0 } }
    func set(_ failure: KafkaError) { error.withLock { $0 = $0 ?? failure } }
}
