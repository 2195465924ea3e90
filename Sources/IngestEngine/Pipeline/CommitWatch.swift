import Concurrency
import KafkaWire

/// Looks from time to time whether the database still has what was committed.
///
/// If messages keep coming, the next batch finds out. This is for a crash of the server just after the last message
/// for a long time.
struct CommitWatch: Sendable {
    private static let interval = Duration.seconds(5)

    let database: Database
    let offsets: OffsetStore
    let ledger: PartitionLedger
    var timing = Timing()
    /// Called with the partitions whose offsets are behind.
    let areSetBack: @Sendable (Set<TopicPartition>) -> Void

    /// Looks until the task is cancelled. `Database` reports one that is away; the next look makes up for it.
    func watch() async {
        while !Task.isCancelled {
            try? await timing.sleep(Self.interval)
            // Taken first: what is committed from here on only moves the offsets further on.
            let committed = ledger.committed
            guard !committed.isEmpty else { continue }
            let stored = await database.offsets(of: Set(committed.keys.map(\.topic)), in: offsets) ?? [:]
            let behind = Set(stored.filter { $0.value < committed[$0.key] ?? 0 }.keys)
            if !behind.isEmpty, !Task.isCancelled { areSetBack(behind) }
        }
    }
}
