import Synchronization

/// Where messages go.
protocol MessageSink: Sendable {
    /// Takes a message without waiting.
    ///
    /// - Returns: False where there is no room: await `waitForRoom()` and try again.
    func offer(_ message: PlantMessage, value: Span<UInt8>) throws -> Bool
    /// - Throws: `CancellationError` where the task is cancelled, or what keeps the sink from taking anything.
    func waitForRoom() async throws
}

/// What was sent so far. One task adds to it, and others may look while it grows.
final class SendingProgress: Sendable {
    private let passageCount = Atomic(0)
    private let concernCount = Atomic(0)
    private let byteCount = Atomic(0)

    var passages: Int { passageCount.load(ordering: .relaxed) }
    var concerns: Int { concernCount.load(ordering: .relaxed) }
    var records: Int { passages + concerns }
    /// Of the values alone.
    var bytes: Int { byteCount.load(ordering: .relaxed) }

    /// From one task only: so there is nothing to be added up under a lock.
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
    /// The time between messages, or nil for as fast as the sink takes them.
    let interval: Duration?
    let clock: PaceClock
    let progress: SendingProgress

    /// Sends to the source's end, or until the task is cancelled: then it returns with what was taken.
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
            // Looking costs a little; at a slow pace it is the sleep that notices.
            if progress.records % 256 == 0, Task.isCancelled { return }
            encoder.encode(message)
            while try !sink.offer(message, value: encoder.bytes) {
                do { try await sink.waitForRoom() } catch is CancellationError { return }
            }
            progress.add(message.kind, bytes: encoder.bytes.count)
        }
    }
}
