/// Where a partition's next fetch begins.
struct FetchPosition: Sendable, Hashable {
    var offset: Int64
    /// The leader epoch of the batch before `offset`; -1 where it isn't known. With it a broker notices a log that
    /// was cut back (KIP-320, KIP-595).
    var lastFetchedEpoch: Int32 = -1
}

/// What a fetch request says of one partition.
struct PartitionFetch: Sendable, Hashable {
    var topicID: KafkaUUID
    var position: FetchPosition
    var leaderEpoch: Int32
    var maximumBytes: Int32
}

/// One assignment of a partition, or one place to which it was sought: where it stands in the buffer, and which of
/// those that have stood there it is.
///
/// Whatever was fetched for an earlier one is told apart by its number, and dropped.
struct FetchSlot: Sendable, Hashable {
    let index: Int
    let generation: Int
}

/// What one fetch answer holds of one partition.
struct FetchedPartition: Sendable {
    let slot: FetchSlot
    /// Goes through the batches; nil where nothing but the position moves.
    var reader: RecordBatchReader?
    /// Where the partition goes on after the last whole batch.
    let next: FetchPosition
    /// Opened when the first part of the answer is taken: its broker may then be asked for more.
    let gate: Signal
}
