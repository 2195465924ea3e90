/// A topic's partitions, and the choice among them for records without a key. The accumulator's lock guards it.
struct ProducerTopic {
    var partitions: [ProducerPartition] = []
    /// The partition that gets the records without key and partition for a while, so that few batches become full instead
    /// of many being begun (KIP-480).
    private var sticky: Int
    /// How many bytes it has got since it was chosen.
    private var stickyBytes = 0
    /// Whether it has no leader although another partition has one.
    private var isStickyLeaderless = false

    /// - Parameter random: From 0 up to 1.
    init(partitionCount: Int, random: Double) {
        sticky = Int(random * Double(partitionCount))
    }

    /// The index of the partition for a record without key and partition.
    ///
    /// It changes after `batch.size` bytes, whether they went as one batch or, after lingering, as several: so all
    /// partitions get the same number of bytes (KIP-794). It changes between two batches only, or when the partition has
    /// lost its leader.
    ///
    /// - Parameters:
    ///   - bound: The record's size in bytes.
    ///   - random: Returns a number from 0 up to 1.
    mutating func stickySlot(
        bound: Int, _ configuration: ProducerConfiguration, now: () -> ContinuousClock.Instant, random: () -> Double
    ) -> Int {
        var isOver = isStickyLeaderless
        if stickyBytes >= configuration.batchSize, partitions.count > 1 {
            isOver = isOver || partitions[sticky].isFull(for: bound, limit: configuration.batchSize) ?? true
        }
        if isOver {
            sticky = another(than: sticky, configuration, now: now(), random: random())
            stickyBytes = 0
            isStickyLeaderless = false
        }
        stickyBytes += bound
        return sticky
    }

    /// Notes that partitions have lost their leaders, or have got others.
    mutating func leadersChanged() {
        isStickyLeaderless = !partitions[sticky].hasLeader && partitions.contains(where: \.hasLeader)
    }

    /// Chooses another partition at random (KIP-794): one with a leader, more often one with few queued batches, and none
    /// whose oldest batch has waited for longer than `partitioner.availability.timeout.ms`.
    private func another(
        than current: Int, _ configuration: ProducerConfiguration, now: ContinuousClock.Instant, random: Double
    ) -> Int {
        let others = candidates(besides: current)
        func pick(_ weights: [Int]) -> Int? {
            let total = weights.reduce(0, +)
            guard total > 0 else { return nil }
            var rest = Int(random * Double(total))
            for (index, weight) in zip(others, weights) {
                if rest < weight { return index }
                rest -= weight
            }
            return others.last
        }
        let even = others.map { _ in 1 }
        guard configuration.partitionsAdaptively else { return pick(even) ?? current }
        let longest = others.reduce(0) { max($0, partitions[$1].queuedCount) }
        let patience = configuration.partitionAvailabilityTimeout
        let weights = others.map { index in
            let partition = partitions[index]
            if patience > .zero, let oldest = partition.firstQueued, now - oldest.created > patience { return 0 }
            return longest + 1 - partition.queuedCount
        }
        return pick(weights) ?? pick(even) ?? current
    }

    /// The other partitions that have a leader; all others if no partition has one.
    private func candidates(besides current: Int) -> [Int] {
        let others = partitions.indices.filter { $0 != current }
        let led = others.filter { partitions[$0].hasLeader }
        return led.isEmpty && !partitions[current].hasLeader ? others : led
    }
}
