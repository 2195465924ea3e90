/// Finds the batches of a fetched partition that belong to aborted transactions (KIP-98).
///
/// A fetch response lists the aborted transactions, each by producer id and first offset. From that offset up to its
/// next ABORT marker, the producer's transactional batches are skipped.
package struct AbortedTransactions: Sendable {
    /// Sorted by descending first offset; brokers don't always send them in order.
    private var upcoming: [FetchResponse.AbortedTransaction]
    /// The producer ids whose transactional batches are currently aborted.
    private var aborted: Set<Int64> = []

    package init(_ transactions: [FetchResponse.AbortedTransaction]) {
        upcoming = transactions.sorted { $0.firstOffset > $1.firstOffset }
    }

    /// Whether a batch belongs to an aborted transaction. Call it for each batch, in log order.
    mutating func isAborted(_ header: RecordBatchHeader) -> Bool {
        guard header.producerID >= 0, header.attributes.contains(.transactional) else { return false }
        let lastOffset = header.baseOffset + Int64(header.lastOffsetDelta)
        while let next = upcoming.last, next.firstOffset <= lastOffset {
            aborted.insert(next.producerId)
            upcoming.removeLast()
        }
        return !header.attributes.contains(.control) && aborted.contains(header.producerID)
    }

    /// Processes a control batch: an ABORT marker ends its producer's aborted transaction.
    mutating func end(_ marker: RecordBatch) throws(KafkaError) {
        if try marker.controlRecordType() == .abort { aborted.remove(marker.producerID) }
    }
}
