import Concurrency
import KafkaWire

/// Waits for deliveries beside the sending, in the order in which they were taken in, and keeps the first failure.
///
/// The records of a batch end alike, so one of each is enough.
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
                do throws(KafkaError) { _ = try await delivery.metadata } catch { first.set(error) }
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
