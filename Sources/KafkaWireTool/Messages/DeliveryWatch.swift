import CommandLineSupport
import Concurrency
import KafkaWire

/// Awaits deliveries in the background, in the order in which they were added, and keeps the first failure.
///
/// Watching one record of each batch is enough: its delivery reports the outcome of the whole batch. This includes a
/// batch that was too large for its topic and was split into parts, which can fail separately.
final class DeliveryWatch: Sendable {
    private let deliveries: AsyncStream<Delivery>.Continuation
    private let watching: Task<KafkaError?, Never>
    private let firstFailure: FirstFailure
    private let continuesAfterFailures: Bool

    /// - Parameter continuesAfterFailures: Whether each failure is reported, and only `finish` throws.
    init(continuesAfterFailures: Bool = false) {
        self.continuesAfterFailures = continuesAfterFailures
        let (stream, continuation) = AsyncStream<Delivery>.makeStream()
        deliveries = continuation
        let first = FirstFailure()
        firstFailure = first
        watching = Task {
            for await delivery in stream {
                do throws(KafkaError) {
                    try await delivery.batchDelivered()
                } catch {
                    if continuesAfterFailures {
                        Output.standardError.post(line: "% messages were not delivered: \(error)")
                    }
                    first.set(error)
                }
            }
            return first.value
        }
    }

    /// Calls `body` when a delivery fails, or immediately if one has already failed.
    ///
    /// Does nothing if the watch continues after failures.
    func onFailure(_ body: @escaping @Sendable () -> Void) {
        if !continuesAfterFailures { firstFailure.onSet(body) }
    }

    func add(_ delivery: Delivery) { deliveries.yield(delivery) }

    /// - Throws: The first failure so far, unless the watch continues after failures.
    func check() throws(KafkaError) {
        if !continuesAfterFailures, let error = firstFailure.value { throw error }
    }

    /// Waits for all deliveries.
    ///
    /// - Throws: The first failure.
    func finish() async throws(KafkaError) {
        deliveries.finish()
        if let error = await watching.value { throw error }
    }
}

private final class FirstFailure: Sendable {
    private struct State {
        var error: KafkaError?
        var handler: (@Sendable () -> Void)?
    }

    private let state = Lock(State())

    var value: KafkaError? { state.withLock { $0.error } }

    func set(_ failure: KafkaError) {
        let handler: (@Sendable () -> Void)? = state.withLock { state in
            guard state.error == nil else { return nil }
            state.error = failure
            return state.handler
        }
        handler?()
    }

    func onSet(_ handler: @escaping @Sendable () -> Void) {
        let isSet = state.withLock { state in
            state.handler = handler
            return state.error != nil
        }
        if isSet { handler() }
    }
}
