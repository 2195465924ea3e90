import Synchronization

/// A destination for messages.
protocol MessageSink: Sendable {
    /// Accepts a message without waiting.
    ///
    /// - Returns: False if there is no room: await `waitForRoom()` and retry.
    func offer(_ message: PlantMessage, value: Span<UInt8>) throws -> Bool
    /// - Throws: `CancellationError` if the task is cancelled, or the error that prevents the sink from accepting
    ///   messages.
    func waitForRoom() async throws
}

/// The messages sent so far. One task adds to it, and others may read it at the same time.
final class SendingProgress: Sendable {
    private let passageCount = Atomic(0)
    private let concernCount = Atomic(0)
    private let byteCount = Atomic(0)

    var passages: Int { passageCount.load(ordering: .relaxed) }
    var concerns: Int { concernCount.load(ordering: .relaxed) }
    var records: Int { passages + concerns }
    /// The bytes of the values.
    var bytes: Int { byteCount.load(ordering: .relaxed) }

    /// Adds a message. Only one task may call it, so no lock is needed.
    func add(_ kind: PlantMessage.Kind, bytes: Int) {
        switch kind {
        case .passage: passageCount.store(passages + 1, ordering: .relaxed)
        case .concern: concernCount.store(concerns + 1, ordering: .relaxed)
        }
        byteCount.store(self.bytes + bytes, ordering: .relaxed)
    }
}

/// Sends a source's messages to a sink at their pace.
struct PlantSender<Source: MessageSource, Sink: MessageSink, PaceClock: Clock>: Sendable
where PaceClock.Duration == Duration, PaceClock.Instant: Sendable {
    var source: Source
    var encoder: MessageEncoder
    let sink: Sink
    /// The time between messages; nil to send as fast as the sink accepts.
    let interval: Duration?
    let clock: PaceClock
    let progress: SendingProgress

    /// Sends until the source ends or the task is cancelled.
    ///
    /// - Throws: What the sink throws.
    mutating func run() async throws {
        var now = clock.now
        var pacer = interval.map { Pacer(interval: $0, start: now) }
        while let message = source.next() {
            if let due = pacer?.due {
                if due > now { now = clock.now }
                if due > now {
                    do { try await clock.sleep(until: due, tolerance: nil) } catch { return }
                    now = clock.now
                }
                pacer?.take(now: now, spacing: source.spacing)
            }
            // The check costs a little; at a slow pace the sleep notices cancellation.
            if progress.records % 256 == 0, Task.isCancelled { return }
            encoder.encode(message)
            while try !sink.offer(message, value: encoder.bytes) {
                do { try await sink.waitForRoom() } catch is CancellationError { return }
            }
            progress.add(message.kind, bytes: encoder.bytes.count)
        }
    }
}
