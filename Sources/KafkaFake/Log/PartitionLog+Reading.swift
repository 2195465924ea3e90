import KafkaWire

// Reading from a log.
extension PartitionLog {
    /// The index of the first batch that ends at or after `offset`.
    func firstBatch(from offset: Int64) -> Int {
        var low = 0
        var high = batches.count
        while low < high {
            let middle = (low + high) / 2
            if batches[middle].lastOffset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Reads bytes from the batch that holds `offset`.
    ///
    /// - Parameters:
    ///   - end: No batch that begins at or after it is read: the last stable offset, or the log's end.
    ///   - limit: The largest number of bytes. The last batch is cut off there, as by a broker that reads from a file.
    ///   - atLeastOne: Whether to return the first batch whole if it is larger than the limit; otherwise it is omitted.
    func read(from offset: Int64, below end: Int64 = .max, limit: Int, atLeastOne: Bool) -> ByteSlice? {
        let first = firstBatch(from: offset)
        let behind = end > endOffset ? batches.count : firstBatch(from: end)
        guard first < behind else { return nil }
        let firstCount = batches[first].bytes.count
        if firstCount > limit, !atLeastOne { return nil }
        if firstCount >= limit || first == behind - 1 { return batches[first].bytes }
        var count = 0
        var last = first
        while last < behind, count < limit {
            count += batches[last].bytes.count
            last += 1
        }
        return ByteSlice(joining: batches[first..<last].map(\.bytes), limit: limit)
    }

    /// The offset after the returned bytes, even if their last batch is cut off; nil if there are none.
    func end(of records: ByteSlice?) -> Int64? {
        guard let records, records.count >= RecordBatchHeader.byteCount else { return nil }
        let first = firstBatch(from: RecordBatchHeader(records.span).baseOffset)
        var left = records.count
        var last = first
        while batches.indices.contains(last), left > batches[last].bytes.count {
            left -= batches[last].bytes.count
            last += 1
        }
        return batches.indices.contains(last) ? batches[last].lastOffset + 1 : endOffset
    }

    /// The end of a leader epoch, or of the largest earlier one (KIP-320).
    ///
    /// - Returns: -1 for both if the log does not know the epoch yet.
    func end(ofEpoch epoch: Int32) -> (epoch: Int32, endOffset: Int64) {
        if epoch < 0 || epoch > leaderEpoch { return (-1, -1) }
        guard let next = epochs.firstIndex(where: { $0.epoch > epoch }) else { return (leaderEpoch, endOffset) }
        return (next > 0 ? epochs[next - 1].epoch : epoch, epochs[next].start)
    }

    /// The leader epoch of the record at `offset`, or the latest epoch if there is no such record.
    func epoch(at offset: Int64) -> Int32 {
        epochs.last { $0.start <= offset }?.epoch ?? leaderEpoch
    }
}

extension ByteSlice {
    /// Whether a control batch commits (true) or aborts (false) its producer's transaction; nil for every other batch.
    var transactionResult: Bool? {
        var reader = RecordBatchReader(
            topic: "", partition: 0, records: self, from: 0, maximumInflatedBytes: 1 << 16, pool: BufferPool(limit: 0))
        guard let batch = try? reader.next(), let type = try? batch.controlRecordType() else { return nil }
        switch type {
        case .commit: return true
        case .abort: return false
        case .other: return nil
        }
    }

    /// Joins the slices, up to `limit` bytes.
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
