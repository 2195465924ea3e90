import CommandLineSupport
import KafkaWire
import PGWire

// Partitions come and go.
extension Worker {
    /// How long a partition that another member is to get waits until its rows are committed. If this takes longer it is
    /// given up all the same: what isn't committed by then is written by its next owner.
    private static let settlingLimit = Duration.seconds(30)

    /// Reads all partitions, without a group.
    func assignAll(_ start: IngestStart) async {
        ledger.assign(start.offsets.keys)
        ledger.begin(start.positions, of: ledger.awaiting)
        await consumer.assign(start.assignment)
    }

    /// Becomes a member of the group, or reads other topics as one.
    func subscribe(to topics: [String]) async throws {
        try await consumer.subscribe(to: .topics(topics)) { [weak self] rebalance in await self?.handle(rebalance) }
    }

    /// Reads further partitions, without a group.
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

    /// Has positions read again, since they are not where this worker has moved them.
    func reread(_ partitions: Set<TopicPartition>) {
        exchange.give { ledger.reread(partitions) }
        consumer.wakeUp()
    }

    /// Decides what becomes of partitions that keep a batch from being committed.
    func handle(_ failure: BatchCommitter.PartitionTrouble) throws {
        switch failure {
        case .moved(let moved): try handle(moved)
        // The mapper finds out what is wrong with it, or reads it again.
        case .unreadable(let partition, _): reread([partition])
        }
    }

    private func handle(_ moved: PositionsMoved) throws {
        let ahead = moved.shifts.filter { !$0.value.isSetBack }.min { $0.key < $1.key }
        if let ahead {
            guard settings.isGroup else {
                throw Fenced(group: settings.offsets.group, partition: ahead.key, shift: ahead.value)
            }
            log.warning(
                "\(ahead.key) is at offset \(ahead.value.stored) in the database, not at \(ahead.value.expected): another "
                    + "member has moved it meanwhile, and what this one has read of it is dropped")
        }
        if moved.shifts.contains(where: \.value.isSetBack) { reportSetBack() }
        reread(Set(moved.shifts.keys))
    }

    func reportSetBack() {
        log.warning(
            "the database has lost its last commits, or its offsets were moved back: their messages are read again")
    }
}
