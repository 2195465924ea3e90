/// A topic's partitions with their batches, and which of them records without a key go to. Only touched with the
/// accumulator's lock held.
struct TopicQueues {
    var queues: [PartitionQueue] = []
    /// Where records without key and partition go for a while, so that few batches are full instead of many begun
    /// (KIP-480).
    private var sticky: Int
    /// How many bytes have gone there.
    private var stickyBytes = 0
    /// It has no leader, and another one has.
    private var isStickyLeaderless = false

    /// - Parameter random: From 0 up to 1.
    init(partitionCount: Int, random: Double) {
        sticky = Int(random * Double(partitionCount))
    }

    /// Where a record without key and partition goes.
    ///
    /// After `batch.size` bytes it is another partition's turn, whether they went as one batch or, lingered out, as
    /// several: so all partitions get the same number of bytes (KIP-794). It changes between two batches only, or where
    /// the partition has lost its leader.
    ///
    /// - Parameters:
    ///   - bound: The record's size in bytes.
    ///   - random: Gives a number from 0 up to 1.
    mutating func stickySlot(
        bound: Int, _ configuration: ProducerConfiguration, now: () -> ContinuousClock.Instant, random: () -> Double
    ) -> Int {
        var isOver = isStickyLeaderless
        if stickyBytes >= configuration.batchSize, queues.count > 1 {
            isOver = isOver || queues[sticky].builder.map { $0.byteCount + bound > configuration.batchSize } ?? true
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
        isStickyLeaderless = !queues[sticky].hasLeader && queues.contains(where: \.hasLeader)
    }

    /// Another partition by chance: none without a leader, those with few waiting batches sooner than those whose
    /// leader is slow, and those that have waited for longer than `partitioner.availability.timeout.ms` not at all
    /// (KIP-794).
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
        let longest = others.reduce(0) { max($0, queues[$1].complete.count) }
        let patience = configuration.partitionAvailabilityTimeout
        let weights = others.map { index in
            let queue = queues[index]
            if patience > .zero, let oldest = queue.complete.first, now - oldest.created > patience { return 0 }
            return longest + 1 - queue.complete.count
        }
        return pick(weights) ?? pick(even) ?? current
    }

    /// The other partitions that have a leader. All others where none has one, this one neither: it is as good there.
    private func candidates(besides current: Int) -> [Int] {
        let others = queues.indices.filter { $0 != current }
        let led = others.filter { queues[$0].hasLeader }
        return led.isEmpty && !queues[current].hasLeader ? others : led
    }
}
