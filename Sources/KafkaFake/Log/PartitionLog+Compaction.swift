import KafkaWire

// Compaction.
extension PartitionLog {
    /// Removes records from the stored batches. The remaining records keep their offsets, sequence numbers and
    /// attributes, and are stored uncompressed. Markers and unreadable batches do not change.
    ///
    /// - Parameter keepsEmptyBatches: Whether to keep a batch without records, as a broker does to remember a
    ///   producer's last sequence number.
    func compact(removing offsets: Set<Int64>, keepsEmptyBatches: Bool) {
        batches = batches.compactMap { batch in
            guard offsets.contains(where: { (batch.baseOffset...batch.lastOffset).contains($0) }) else { return batch }
            return compact(batch, removing: offsets, keepsEmptyBatches: keepsEmptyBatches)
        }
    }

    private func compact(
        _ batch: StoredBatch, removing offsets: Set<Int64>, keepsEmptyBatches: Bool
    ) -> StoredBatch? {
        var reader = RecordBatchReader(
            topic: "", partition: 0, records: batch.bytes, from: batch.baseOffset, maximumInflatedBytes: 256 << 20,
            pool: BufferPool(limit: 0))
        guard let decoded = try? reader.next(), !decoded.isControl else { return batch }
        var header = RecordBatchHeader(batch.bytes.span)
        var writer = RecordWriter(baseOffset: batch.baseOffset, baseTimestamp: header.baseTimestamp)
        var records = decoded.makeIterator()
        while let record = try? records.next() {
            if !offsets.contains(record.offset) { writer.append(record) }
        }
        if writer.count == 0, !keepsEmptyBatches { return nil }
        // The lowest three bits are the codec.
        header.attributes = RecordBatchHeader.Attributes(rawValue: header.attributes.rawValue & ~7)
        header.recordCount = writer.count
        return StoredBatch(
            baseOffset: batch.baseOffset, lastOffset: batch.lastOffset, maxTimestamp: batch.maxTimestamp,
            leaderEpoch: batch.leaderEpoch, bytes: header.batch(records: ByteSlice(writer.bytes)))
    }
}
