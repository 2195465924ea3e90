import KafkaWire

// What happens to topics behind the clients' backs.
extension FakeCluster {
    /// Makes a topic, with an id of its own; one of this name that exists is deleted first.
    ///
    /// - Parameters:
    ///   - replication: How many brokers are named as replicas, from the leader on.
    ///   - maximumMessageBytes: `max.message.bytes`: how large a batch may be.
    ///   - configs: Further settings by their names; those that Kafka doesn't have are passed over.
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

    /// Gives a topic more partitions, empty ones; there are never fewer.
    ///
    /// - Parameter count: How many it has then.
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

    /// Gives a partition another leader, and with it the next leader epoch.
    ///
    /// - Parameter leader: A node id; nil for none.
    public func elect(_ leader: Int32?, for partition: TopicPartition) {
        change(partition) { $0.elect(leader) }
    }

    public func leader(of partition: TopicPartition) -> Int32? {
        state.withLock { $0.partition(partition)?.leader }
    }

    /// The leader epochs of a log, each with the offset at which it began.
    public func leaderEpochs(of partition: TopicPartition) -> [(epoch: Int32, startOffset: Int64)] {
        state.withLock { $0.partition(partition)?.epochs.map { ($0.epoch, $0.start) } ?? [] }
    }

    /// Puts a broker into a rack. A leader sends a consumer of another `client.rack` to a replica there (KIP-392).
    public func setRack(_ rack: String?, of broker: Int32) {
        state.withLock { $0.nodes[broker]?.rack = rack }
        state.notifyAll()
    }

    /// Cuts a log back so that it ends at `offset`, or where the batch begins that holds it, and begins another leader
    /// epoch: what an unclean election comes to.
    public func truncate(_ partition: TopicPartition, to offset: Int64) {
        change(partition) { log in
            log.truncate(to: offset)
            log.elect(log.leader)
        }
    }

    /// Lets a log begin at `offset`, as retention does.
    public func moveLogStart(of partition: TopicPartition, to offset: Int64) {
        change(partition) { $0.moveStart(to: offset) }
    }

    /// Appends a batch of message format 2 as it is, whatever it holds; only its base offset and leader epoch are
    /// written anew.
    ///
    /// - Returns: The base offset; nil where the bytes have no whole header, or there is no such partition.
    @discardableResult
    public func append(_ batch: [UInt8], to partition: TopicPartition) -> Int64? {
        guard batch.count >= RecordBatchHeader.byteCount else { return nil }
        let bytes = ByteSlice(batch)
        var baseOffset: Int64?
        change(partition) { baseOffset = $0.append(bytes, RecordBatchHeader(bytes.span)) }
        return baseOffset
    }

    /// Removes records from the stored batches, as compaction does: offsets have gaps from then on.
    ///
    /// - Parameters:
    ///   - offsets: Of the records that go. Those of markers and those that there are none of are passed over.
    ///   - keepsEmptyBatches: Whether a batch without records stays in the log.
    public func compact(
        _ partition: TopicPartition, removing offsets: some Sequence<Int64>, keepsEmptyBatches: Bool = false
    ) {
        change(partition) { $0.compact(removing: Set(offsets), keepsEmptyBatches: keepsEmptyBatches) }
    }

    /// Changes one bit in the stored batch that holds `offset`.
    ///
    /// - Returns: False where there is no such batch.
    @discardableResult
    public func damage(_ partition: TopicPartition, at offset: Int64) -> Bool {
        var isDone = false
        change(partition) { isDone = $0.damage(at: offset) }
        return isDone
    }

    /// The offset that a group has stored; nil for none.
    public func committedOffset(group: String, of partition: TopicPartition) -> Int64? {
        state.withLock { $0.offsets.groups[group]?[partition]?.offset }
    }

    /// The first offset that a log has, and the one that its next record gets; nil where there is no such partition.
    public func offsets(of partition: TopicPartition) -> Range<Int64>? {
        state.withLock { state in state.partition(partition).map { $0.startOffset..<$0.endOffset } }
    }

    /// The offset at which readers with `read_committed` stop; nil where there is no such partition.
    public func lastStableOffset(of partition: TopicPartition) -> Int64? {
        state.withLock { $0.partition(partition)?.lastStableOffset }
    }

    /// The stored batches of a partition, in their order.
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
