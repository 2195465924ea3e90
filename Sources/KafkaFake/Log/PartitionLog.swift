import KafkaWire

/// One partition: its batches in the form in which they were sent, and who leads it.
///
/// Source: Kafka documentation, "Log"; KIP-101 and KIP-320 for leader epochs.
final class PartitionLog {
    struct StoredBatch {
        let baseOffset: Int64
        let lastOffset: Int64
        let maxTimestamp: Int64
        let leaderEpoch: Int32
        let bytes: ByteSlice
    }

    /// In the order of their offsets.
    private(set) var batches: [StoredBatch] = []
    /// The first offset that can be read.
    private(set) var startOffset: Int64 = 0
    /// The offset that the next record gets. There are no followers to wait for: it is the high watermark as well.
    private(set) var endOffset: Int64 = 0
    /// Node id, or nil where the partition has no leader.
    var leader: Int32?
    let replicas: [Int32]
    private(set) var leaderEpoch: Int32 = 0
    /// With which offset each leader epoch began.
    private var epochs: [(epoch: Int32, start: Int64)] = [(0, 0)]
    var producers = ProducerStates()

    init(leader: Int32, replicas: [Int32]) {
        self.leader = leader
        self.replicas = replicas
    }

    // MARK: Writing

    /// Appends a batch of message format 2, whose header has been looked at, at the log's end.
    ///
    /// Offset and leader epoch are the broker's to write; the checksum doesn't cover them.
    @discardableResult
    func append(_ batch: ByteSlice, _ header: RecordBatchHeader) -> Int64 {
        let baseOffset = endOffset
        let storage = batch.copy()
        unsafe storage.base.storeBytes(of: baseOffset.bigEndian, as: Int64.self)
        unsafe storage.base.storeBytes(of: leaderEpoch.bigEndian, toByteOffset: 12, as: Int32.self)
        let lastOffset = baseOffset + Int64(max(header.lastOffsetDelta, 0))
        batches.append(
            StoredBatch(
                baseOffset: baseOffset, lastOffset: lastOffset, maxTimestamp: header.maxTimestamp,
                leaderEpoch: leaderEpoch, bytes: ByteSlice(storage, 0..<batch.count)))
        endOffset = lastOffset + 1
        return baseOffset
    }

    /// Gives the partition another leader, and the next epoch.
    func elect(_ node: Int32?) {
        leader = node
        leaderEpoch += 1
        epochs.append((leaderEpoch, endOffset))
    }

    /// Cuts the log back so that it ends at `offset` or before, where a batch ends.
    func truncate(to offset: Int64) {
        while let last = batches.last, last.lastOffset >= offset { batches.removeLast() }
        endOffset = batches.last.map { $0.lastOffset + 1 } ?? min(startOffset, offset)
        startOffset = min(startOffset, endOffset)
        epochs.removeAll { $0.start >= endOffset && $0.epoch > 0 }
        producers = ProducerStates()
    }

    /// Lets the log begin at `offset`, as retention and DeleteRecords do.
    func moveStart(to offset: Int64) {
        startOffset = max(startOffset, min(offset, endOffset))
        batches.removeFirst(batches.prefix { $0.lastOffset < startOffset }.count)
    }

    /// Changes one bit in the batch that holds `offset`, behind its header.
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

    // MARK: Reading

    /// The index of the first batch that ends at `offset` or behind it.
    private func firstBatch(from offset: Int64) -> Int {
        var low = 0
        var high = batches.count
        while low < high {
            let middle = (low + high) / 2
            if batches[middle].lastOffset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Bytes from the batch that holds `offset` on.
    ///
    /// - Parameters:
    ///   - limit: How many bytes; the last batch is cut off where they end, as a broker does that reads from a file.
    ///   - atLeastOne: Whether the first batch comes whole even if it is larger; otherwise it is left out then.
    func read(from offset: Int64, limit: Int, atLeastOne: Bool) -> ByteSlice? {
        let first = firstBatch(from: offset)
        guard batches.indices.contains(first) else { return nil }
        let firstCount = batches[first].bytes.count
        if firstCount > limit, !atLeastOne { return nil }
        if firstCount >= limit || first == batches.count - 1 { return batches[first].bytes }
        var count = 0
        var end = first
        while end < batches.count, count < limit {
            count += batches[end].bytes.count
            end += 1
        }
        return ByteSlice(joining: batches[first..<end].map(\.bytes), limit: limit)
    }

    /// Where the epoch that a client read last, or the largest one before it, ends (KIP-320).
    func end(ofEpoch epoch: Int32) -> (epoch: Int32, endOffset: Int64) {
        guard let index = epochs.lastIndex(where: { $0.epoch <= epoch }) else { return (-1, -1) }
        return (epochs[index].epoch, index + 1 < epochs.count ? epochs[index + 1].start : endOffset)
    }

    /// The leader epoch of the record at `offset`, or the last one where there is none.
    func epoch(at offset: Int64) -> Int32 {
        epochs.last { $0.start <= offset }?.epoch ?? leaderEpoch
    }
}

extension ByteSlice {
    /// Memory of its own with these bytes, to be changed before somebody else sees it.
    fileprivate func copy() -> ByteStorage {
        let storage = ByteStorage(capacity: count)
        unsafe withUnsafeBytes { source in
            if let base = source.baseAddress {
                unsafe storage.base.copyMemory(from: base, byteCount: source.count)
            }
        }
        return storage
    }

    /// The slices one after the other, up to `limit` bytes.
    fileprivate init(joining slices: [ByteSlice], limit: Int) {
        let count = min(slices.reduce(0) { $0 + $1.count }, limit)
        let storage = ByteStorage(capacity: count)
        var filled = 0
        for slice in slices where filled < count {
            let part = min(slice.count, count - filled)
            unsafe slice.withUnsafeBytes { source in
                if let base = source.baseAddress {
                    unsafe (storage.base + filled).copyMemory(from: base, byteCount: part)
                }
            }
            filled += part
        }
        self.init(storage, 0..<count)
    }
}
