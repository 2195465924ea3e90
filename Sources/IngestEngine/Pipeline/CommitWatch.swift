import KafkaWire

/// Looks from time to time whether the database still has what was committed.
///
/// Where messages keep coming, the next batch finds out. This is for a crash of the server just after the last message
/// for a long time.
struct CommitWatch: Sendable {
    private static let interval = Duration.seconds(5)

    let database: Database
    let offsets: OffsetStore
    let topics: Set<String>
    let totals: IngestTotals
    var timing = Timing()

    /// Looks until the task is cancelled. `Database` reports one that is away; the next look makes up for it.
    func watch() async throws(CommitsLost) {
        while !Task.isCancelled {
            try? await timing.sleep(Self.interval)
            // Taken first: what is committed from here on only moves the offsets further on.
            let committed = totals.snapshot.committed
            let (store, topics) = (offsets, topics)
            let stored = try? await database.attempt(isProbe: true) { connection in
                try await connection.transaction(prelude: Sink.transactionSettings) { session in
                    try store.entries(of: topics, &session)
                }
            }
            guard let stored else { continue }
            let isBehind = stored.contains { $0.nextOffset < committed[$0.partition] ?? 0 }
            if isBehind, !Task.isCancelled { throw CommitsLost() }
        }
    }
}
