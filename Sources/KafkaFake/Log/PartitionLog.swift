import KafkaWire

/// One partition: its leader, and its batches as clients sent them.
///
/// Source: Kafka documentation, "Log"; KIP-101 and KIP-320 for leader epochs, KIP-98 for transactions.
final class PartitionLog {
    struct StoredBatch {
        let baseOffset: Int64
        let lastOffset: Int64
        let maxTimestamp: Int64
        let leaderEpoch: Int32
        let bytes: ByteSlice
    }

    /// In offset order.
    var batches: [StoredBatch] = []
    /// The first readable offset.
    private(set) var startOffset: Int64 = 0
    /// The offset of the next record. It is also the high watermark, since there are no followers to wait for.
    private(set) var endOffset: Int64 = 0
    /// The node id; nil if the partition has no leader.
    var leader: Int32?
    let replicas: [Int32]
    private(set) var leaderEpoch: Int32 = 0
    /// The leader epochs, each with its first offset.
    private(set) var epochs: [(epoch: Int32, start: Int64)] = [(0, 0)]
    private(set) var producers = ProducerStates()
    private(set) var transactions = TransactionIndex()

    /// The first offset that may still be aborted, at which `read_committed` consumers stop.
    var lastStableOffset: Int64 { transactions.firstUnstableOffset ?? endOffset }

    init(leader: Int32, replicas: [Int32]) {
        self.leader = leader
        self.replicas = replicas
    }

    // MARK: Writing

    /// Appends a batch of message format 2 whose header has been checked.
    ///
    /// The broker writes the base offset and the leader epoch, which the checksum does not cover.
    ///
    /// - Parameter appendTime: Milliseconds since 1970 if the broker also writes the timestamps; otherwise nil.
    @discardableResult
    func append(_ batch: ByteSlice, _ header: RecordBatchHeader, appendTime: Int64? = nil) -> Int64 {
        let baseOffset = endOffset
        var header = header
        var batch = batch
        if let appendTime {
            header.attributes.insert(.logAppendTime)
            header.maxTimestamp = appendTime
            batch = header.batch(records: batch.slice(RecordBatchHeader.byteCount..<batch.count))
        }
        let storage = batch.copy()
        unsafe storage.base.storeBytes(of: baseOffset.bigEndian, as: Int64.self)
        unsafe storage.base.storeBytes(of: leaderEpoch.bigEndian, toByteOffset: 12, as: Int32.self)
        let lastOffset = baseOffset + Int64(max(header.lastOffsetDelta, 0))
        let stored = StoredBatch(
            baseOffset: baseOffset, lastOffset: lastOffset, maxTimestamp: header.maxTimestamp,
            leaderEpoch: leaderEpoch, bytes: ByteSlice(storage, 0..<batch.count))
        batches.append(stored)
        endOffset = lastOffset + 1
        note(stored, header)
        return baseOffset
    }

    /// Writes a transaction marker.
    func append(_ marker: TransactionMarker) {
        append(marker.batch, marker.header)
    }

    /// Updates the state of producers and transactions with a batch.
    private func note(_ batch: StoredBatch, _ header: RecordBatchHeader) {
        guard header.producerID >= 0 else { return }
        guard header.attributes.contains(.control) else {
            producers.wrote(header, at: batch.baseOffset)
            guard header.attributes.contains(.transactional) else { return }
            return transactions.wrote(header.producerID, at: batch.baseOffset)
        }
        guard let isCommit = batch.bytes.transactionResult else { return }
        producers.ended(header)
        transactions.ended(header.producerID, isCommit: isCommit, at: batch.lastOffset)
    }

    /// Gives the partition another leader and the next epoch.
    func elect(_ node: Int32?) {
        leader = node
        leaderEpoch += 1
        epochs.append((leaderEpoch, endOffset))
    }

    /// Truncates the log at a batch boundary, so that it ends at or before `offset`.
    func truncate(to offset: Int64) {
        while let last = batches.last, last.lastOffset >= offset { batches.removeLast() }
        endOffset = batches.last.map { $0.lastOffset + 1 } ?? min(startOffset, offset)
        startOffset = min(startOffset, endOffset)
        epochs.removeAll { $0.start >= endOffset && $0.epoch > 0 }
        producers = ProducerStates()
        transactions = TransactionIndex()
        for batch in batches { note(batch, RecordBatchHeader(batch.bytes.span)) }
    }

    /// Moves the log's start to `offset`, as retention and DeleteRecords do.
    func moveStart(to offset: Int64) {
        startOffset = max(startOffset, min(offset, endOffset))
        batches.removeFirst(batches.prefix { $0.lastOffset < startOffset }.count)
        transactions.forget(before: startOffset)
    }

    /// Flips one bit after the header of the batch that holds `offset`.
    func damage(at offset: Int64) -> Bool {
        let index = firstBatch(from: offset)
        guard batches.indices.contains(index), batches[index].bytes.count > RecordBatchHeader.byteCount else {
            return false
        }
        let batch = batches[index]
        let storage = batch.bytes.copy()
        let position = (RecordBatchHeader.byteCount + batch.bytes.count) / 2
        let byte = unsafe storage.base.load(fromByteOffset: position, as: UInt8.self)
        unsafe storage.base.storeBytes(of: byte ^ 1, toByteOffset: position, as: UInt8.self)
        batches[index] = StoredBatch(
            baseOffset: batch.baseOffset, lastOffset: batch.lastOffset, maxTimestamp: batch.maxTimestamp,
            leaderEpoch: batch.leaderEpoch, bytes: ByteSlice(storage, 0..<batch.bytes.count))
        return true
    }
}

extension ByteSlice {
    /// A copy of these bytes in new memory, which can be changed until it is shared.
    fileprivate func copy() -> ByteStorage {
        let storage = ByteStorage(capacity: count)
        unsafe withUnsafeBytes { source in
            if let base = source.baseAddress {
                unsafe storage.base.copyMemory(from: base, byteCount: source.count)
            }
        }
        return storage
    }
}
