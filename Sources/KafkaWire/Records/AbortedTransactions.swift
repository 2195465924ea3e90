/// Tells which batches of a fetched partition belong to transactions that were aborted (KIP-98).
///
/// A broker names the aborted transactions of what it sends, each by its producer and first offset. From there on the
/// producer's transactional batches don't count, up to its next ABORT marker.
package struct AbortedTransactions: Sendable {
    /// By first offset, the last one first: brokers don't always send them in order.
    private var upcoming: [FetchResponse.AbortedTransaction]
    /// The producers whose batches don't count at the moment.
    private var aborted: Set<Int64> = []

    package init(_ transactions: [FetchResponse.AbortedTransaction]) {
        upcoming = transactions.sorted { $0.firstOffset > $1.firstOffset }
    }

    /// Whether a batch belongs to an aborted transaction. To be asked for each batch, in the order of the log.
    mutating func cover(_ header: RecordBatchHeader) -> Bool {
        guard header.producerID >= 0, header.attributes.contains(.transactional) else { return false }
        let lastOffset = header.baseOffset + Int64(header.lastOffsetDelta)
        while let next = upcoming.last, next.firstOffset <= lastOffset {
            aborted.insert(next.producerId)
            upcoming.removeLast()
        }
        return !header.attributes.contains(.control) && aborted.contains(header.producerID)
    }

    /// Takes in the end of a transaction.
    mutating func end(_ marker: RecordBatch) throws(KafkaError) {
        if try marker.controlRecordType() == .abort { aborted.remove(marker.producerID) }
    }
}
