import Concurrency

/// Where a partition's next fetch begins.
struct FetchPosition: Sendable, Hashable {
    var offset: Int64
    /// The leader epoch of the batch before `offset`; -1 if unknown. A broker compares it with its log to detect a
    /// truncation (KIP-320, KIP-595).
    var lastFetchedEpoch: Int32 = -1

    var asCommit: OffsetAndMetadata { OffsetAndMetadata(offset, leaderEpoch: lastFetchedEpoch) }
}

/// What a fetch request says about one partition.
struct PartitionFetch: Sendable, Hashable {
    var topicID: KafkaUUID
    var position: FetchPosition
    var leaderEpoch: Int32
    var maximumBytes: Int32
}

/// One assignment or one seek of a partition: an index in the table of cursors, and a generation that distinguishes
/// successive users of that index.
///
/// What was fetched for an earlier generation is dropped.
struct FetchSlot: Sendable, Hashable {
    let index: Int
    let generation: Int
}

/// What one request asks of a partition, and for which slot.
struct RequestedFetch: Sendable, Hashable {
    let fetch: PartitionFetch
    let slot: FetchSlot
}

/// One partition's part of a fetch response.
struct FetchedPartition: Sendable {
    let slot: FetchSlot
    /// Iterates over the batches; nil if only the position moves, or the partition has failed.
    var reader: RecordBatchReader?
    /// The partition's position after the last complete batch.
    let next: FetchPosition
    /// Notified when the application takes the first part of the response. The next fetch is sent to its broker then.
    let gate: Signal
    /// A permanent error of the partition, to report after the batches; nil if there is none.
    var failure: KafkaError?
    /// The node id of the broker that sent it.
    var brokerID: Int32 = -1
}

/// The distance from one offset to another one; `Int64.max` if it is larger than that, 0 if the end lies before.
func offsetDistance(from offset: Int64, to end: Int64) -> Int64 {
    let (distance, overflow) = end.subtractingReportingOverflow(offset)
    if overflow { return end > offset ? .max : 0 }
    return max(0, distance)
}
