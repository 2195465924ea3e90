import KafkaWire

// Inspects and changes topics and logs without requests.
extension FakeCluster {
    /// Creates a topic with a new id. An existing topic of this name is deleted first.
    ///
    /// - Parameters:
    ///   - replication: The number of brokers listed as replicas, starting with the leader.
    ///   - maximumMessageBytes: `max.message.bytes`: the largest batch, in bytes.
    ///   - configs: Further settings by name. Names that Kafka does not have are ignored.
    /// - Returns: The topic's id.
    @discardableResult
    public func createTopic(
        _ name: String, partitions: Int = 1, replication: Int = 1, maximumMessageBytes: Int = 1_048_588,
        configs: [String: String] = [:]
    ) -> KafkaUUID {
        let id = state.withLock { state in
            if state.topics[name] != nil { state.offsets.forget(topic: name) }
            let topic = state.createTopic(name, partitions: partitions, replication: replication)
            var settings = TopicConfigs()
            _ = settings.set("max.message.bytes", "\(maximumMessageBytes)")
            for (name, value) in configs { _ = settings.set(name, value) }
            state.topics[name]?.configs = settings
            return topic.id
        }
        state.notifyAll()
        return id
    }

    /// Adds empty partitions to a topic. A topic never loses partitions.
    ///
    /// - Parameter count: The number of partitions afterwards.
    public func addPartitions(to name: String, count: Int) {
        state.withLock { $0.addPartitions(to: name, count: count) }
        state.notifyAll()
    }

    public func deleteTopic(_ name: String) {
        state.withLock { state in
            state.topics[name] = nil
            state.offsets.forget(topic: name)
        }
        state.notifyAll()
    }

    /// Gives a partition another leader and the next leader epoch.
    ///
    /// - Parameter leader: A node id; nil for no leader.
    public func elect(_ leader: Int32?, for partition: TopicPartition) {
        change(partition) { $0.elect(leader) }
    }

    public func leader(of partition: TopicPartition) -> Int32? {
        state.withLock { $0.partition(partition)?.leader }
    }

    /// The leader epochs of a log, each with its first offset.
    public func leaderEpochs(of partition: TopicPartition) -> [(epoch: Int32, startOffset: Int64)] {
        state.withLock { $0.partition(partition)?.epochs.map { ($0.epoch, $0.start) } ?? [] }
    }

    /// Puts a broker into a rack. A leader sends a consumer with a different `client.rack` to a replica in that rack
    /// (KIP-392).
    public func setRack(_ rack: String?, of broker: Int32) {
        state.withLock { $0.nodes[broker]?.rack = rack }
        state.notifyAll()
    }

    /// Truncates a log to end at `offset`, or at the start of the batch that holds it, and begins a new leader epoch.
    /// An unclean election has the same effect.
    public func truncate(_ partition: TopicPartition, to offset: Int64) {
        change(partition) { log in
            log.truncate(to: offset)
            log.elect(log.leader)
        }
    }

    /// Moves the start of a log to `offset`, as retention does.
    public func moveLogStart(of partition: TopicPartition, to offset: Int64) {
        change(partition) { $0.moveStart(to: offset) }
    }

    /// Appends a batch of message format 2 without checking it. Only its base offset and leader epoch are rewritten.
    ///
    /// - Returns: The base offset; nil if the bytes have no complete header, or the partition does not exist.
    @discardableResult
    public func append(_ batch: [UInt8], to partition: TopicPartition) -> Int64? {
        guard batch.count >= RecordBatchHeader.byteCount else { return nil }
        let bytes = ByteSlice(batch)
        var baseOffset: Int64?
        change(partition) { baseOffset = $0.append(bytes, RecordBatchHeader(bytes.span)) }
        return baseOffset
    }

    /// Removes records from the stored batches, as compaction does, which leaves gaps between offsets.
    ///
    /// - Parameters:
    ///   - offsets: The offsets to remove. Markers and offsets without a record are ignored.
    ///   - keepsEmptyBatches: Whether a batch without records stays in the log.
    public func compact(
        _ partition: TopicPartition, removing offsets: some Sequence<Int64>, keepsEmptyBatches: Bool = false
    ) {
        change(partition) { $0.compact(removing: Set(offsets), keepsEmptyBatches: keepsEmptyBatches) }
    }

    /// Flips one bit in the stored batch that holds `offset`.
    ///
    /// - Returns: False if there is no such batch.
    @discardableResult
    public func damage(_ partition: TopicPartition, at offset: Int64) -> Bool {
        var isDone = false
        change(partition) { isDone = $0.damage(at: offset) }
        return isDone
    }

    /// The offset that a group has committed; nil if none.
    public func committedOffset(group: String, of partition: TopicPartition) -> Int64? {
        state.withLock { $0.offsets.groups[group]?[partition]?.offset }
    }

    /// The log's start offset and the offset of its next record; nil if the partition does not exist.
    public func offsets(of partition: TopicPartition) -> Range<Int64>? {
        state.withLock { state in state.partition(partition).map { $0.startOffset..<$0.endOffset } }
    }

    /// The offset at which `read_committed` consumers stop; nil if the partition does not exist.
    public func lastStableOffset(of partition: TopicPartition) -> Int64? {
        state.withLock { $0.partition(partition)?.lastStableOffset }
    }

    /// The stored batches of a partition in offset order.
    public func batches(of partition: TopicPartition) -> [ByteSlice] {
        state.withLock { $0.partition(partition)?.batches.map(\.bytes) ?? [] }
    }

    private func change(_ partition: TopicPartition, _ body: (PartitionLog) -> Void) {
        state.withLock { state in
            if let log = state.partition(partition) { body(log) }
        }
        state.notifyAll()
    }
}
