import KafkaWire

/// What a partition knows of the transactions in its log: those that are open and those that were aborted (KIP-98).
struct TransactionIndex {
    struct Aborted: Equatable {
        let producerID: Int64
        /// Of the transaction's first record in this partition.
        let firstOffset: Int64
        /// Of its marker.
        let lastOffset: Int64
    }

    /// With which offset each producer's open transaction begins.
    private(set) var ongoing: [Int64: Int64] = [:]
    /// In the order in which they ended.
    private(set) var aborted: [Aborted] = []

    /// Before it everything is decided; nil where no transaction is open.
    var firstUnstableOffset: Int64? { ongoing.values.min() }

    mutating func wrote(_ producerID: Int64, at offset: Int64) {
        if ongoing[producerID] == nil { ongoing[producerID] = offset }
    }

    /// Ends a producer's transaction by the marker at `offset`.
    mutating func ended(_ producerID: Int64, isCommit: Bool, at offset: Int64) {
        guard let first = ongoing.removeValue(forKey: producerID), !isCommit else { return }
        aborted.append(Aborted(producerID: producerID, firstOffset: first, lastOffset: offset))
    }

    /// The aborted transactions of which something lies in `offsets`.
    func aborted(in offsets: Range<Int64>) -> [Aborted] {
        aborted.filter { $0.lastOffset >= offsets.lowerBound && $0.firstOffset < offsets.upperBound }
    }

    /// Forgets what lies wholly before a log's beginning.
    mutating func forget(before offset: Int64) {
        aborted.removeAll { $0.lastOffset < offset }
    }
}
