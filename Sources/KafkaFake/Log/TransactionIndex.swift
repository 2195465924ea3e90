import KafkaWire

/// A partition's open and aborted transactions (KIP-98).
struct TransactionIndex {
    struct Aborted: Equatable {
        let producerID: Int64
        /// The offset of the transaction's first record in this partition.
        let firstOffset: Int64
        /// The offset of its marker.
        let lastOffset: Int64
    }

    /// The first offset of each producer's open transaction.
    private(set) var ongoing: [Int64: Int64] = [:]
    /// In the order in which they ended.
    private(set) var aborted: [Aborted] = []

    /// The offset before which all transactions are decided; nil if none is open.
    var firstUnstableOffset: Int64? { ongoing.values.min() }

    mutating func wrote(_ producerID: Int64, at offset: Int64) {
        if ongoing[producerID] == nil { ongoing[producerID] = offset }
    }

    /// Ends a producer's transaction with the marker at `offset`.
    mutating func ended(_ producerID: Int64, isCommit: Bool, at offset: Int64) {
        guard let first = ongoing.removeValue(forKey: producerID), !isCommit else { return }
        aborted.append(Aborted(producerID: producerID, firstOffset: first, lastOffset: offset))
    }

    /// The aborted transactions that overlap `offsets`.
    func aborted(in offsets: Range<Int64>) -> [Aborted] {
        aborted.filter { $0.lastOffset >= offsets.lowerBound && $0.firstOffset < offsets.upperBound }
    }

    /// Drops the transactions that ended before a log's start.
    mutating func forget(before offset: Int64) {
        aborted.removeAll { $0.lastOffset < offset }
    }
}
