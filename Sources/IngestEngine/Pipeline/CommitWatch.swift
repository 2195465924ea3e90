import Concurrency
import KafkaWire

/// Checks periodically that the database still has the committed offsets.
///
/// While messages arrive, the next batch detects a loss. This check is for a server crash right after the last message
/// for a long time.
struct CommitWatch: Sendable {
    private static let interval = Duration.seconds(5)

    let database: Database
    let offsets: OffsetStore
    let ledger: PartitionLedger
    var timing = Timing()
    /// Called with the partitions whose stored offset is behind the committed one.
    let onLostCommits: @Sendable (Set<TopicPartition>) -> Void

    /// Checks until the task is cancelled. `Database` reports an unreachable server, and the next check repeats the
    /// query.
    func watch() async {
        while !Task.isCancelled {
            try? await timing.sleep(Self.interval)
            // Read first: later commits only increase the offsets.
            let committed = ledger.committed
            guard !committed.isEmpty else { continue }
            let stored = await database.offsets(of: Set(committed.keys.map(\.topic)), in: offsets) ?? [:]
            let behind = Set(stored.filter { $0.value < committed[$0.key] ?? 0 }.keys)
            if !behind.isEmpty, !Task.isCancelled { onLostCommits(behind) }
        }
    }
}
