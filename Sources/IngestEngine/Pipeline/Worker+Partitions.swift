import CommandLineSupport
import KafkaWire
import PGWire

// Assignment and revocation of partitions.
extension Worker {
    /// How long a revoked partition waits until its rows are committed. After that it is released anyway, and its next
    /// owner writes the uncommitted rows.
    private static let settlingLimit = Duration.seconds(30)

    /// Reads all partitions, without a group.
    func assignAll(_ start: IngestStart) async {
        ledger.assign(start.offsets.keys)
        ledger.begin(start.positions, of: ledger.awaiting)
        await consumer.assign(start.assignment)
    }

    /// Joins the group, or changes the topics of the membership.
    func subscribe(to topics: [String]) async throws {
        try await consumer.subscribe(to: .topics(topics)) { [weak self] rebalance in await self?.handle(rebalance) }
    }

    /// Reads additional partitions, without a group.
    func add(_ partitions: Set<TopicPartition>) {
        ledger.assign(partitions)
        consumer.wakeUp()
    }

    private func handle(_ rebalance: Rebalance) async {
        switch rebalance {
        case .assigned(let partitions):
            ledger.assign(partitions)
            consumer.wakeUp()
        case .revoked(let partitions):
            exchange.give { ledger.beginRevoking(partitions) }
            await ledger.settle(partitions, until: timing.now() + Self.settlingLimit)
            drop(partitions)
        case .lost(let partitions): drop(partitions)
        }
    }

    private func drop(_ partitions: Set<TopicPartition>) {
        exchange.give { ledger.remove(partitions) }
    }

    /// Rereads the positions of partitions, since they aren't where this worker has moved them.
    func reread(_ partitions: Set<TopicPartition>) {
        exchange.give { ledger.reread(partitions) }
        consumer.wakeUp()
    }

    /// Handles partitions that prevent a batch from being committed.
    ///
    /// - Throws: `Fenced` if another run has moved an offset and the run is standalone.
    func handle(_ failure: BatchCommitter.PartitionTrouble) throws {
        switch failure {
        case .moved(let moved): try handle(moved)
        // The mapper will either find the cause or read the messages again.
        case .unreadable(let partition, _): reread([partition])
        }
    }

    private func handle(_ moved: PositionsMoved) throws {
        let ahead = moved.shifts.filter { !$0.value.isBehind }.min { $0.key < $1.key }
        if let ahead {
            guard settings.isGroup else {
                throw Fenced(group: settings.offsets.group, partition: ahead.key, shift: ahead.value)
            }
            log.warning(
                "\(ahead.key) is at offset \(ahead.value.stored) in the database, not at \(ahead.value.expected): "
                    + "another member has moved it; the records that this member has read since are dropped")
        }
        if moved.shifts.contains(where: \.value.isBehind) { reportLostCommits() }
        reread(Set(moved.shifts.keys))
    }

    func reportLostCommits() {
        log.warning(
            "the database has lost its last commits, or its offsets were moved back: their messages are read again")
    }
}
