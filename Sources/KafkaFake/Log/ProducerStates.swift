import KafkaWire

/// A partition's state of its idempotent producers (KIP-98).
struct ProducerStates {
    private struct Written {
        let first: Int32
        let last: Int32
        let baseOffset: Int64
    }

    private struct Producer {
        var epoch: Int16
        /// The last five batches of this epoch, to detect duplicates. Empty after a marker that began an epoch.
        var recent: [Written] = []
        var isInTransaction = false
    }

    enum Verdict: Equatable {
        case next
        /// The batch was appended before, at this offset.
        case duplicate(baseOffset: Int64)
        case refused(ErrorCode)
    }

    private static let remembered = 5
    private var producers: [Int64: Producer] = [:]

    /// Decides what to do with a batch that has this header.
    ///
    /// An unknown producer may begin with any sequence number, since retention may have removed its batches (KIP-360).
    func check(_ header: RecordBatchHeader) -> Verdict {
        guard header.producerID >= 0, let known = producers[header.producerID] else { return .next }
        if header.producerEpoch < known.epoch { return .refused(.invalidProducerEpoch) }
        let numbers = Self.numbers(of: header)
        if header.producerEpoch > known.epoch {
            guard header.baseSequence == 0 else { return .refused(.outOfOrderSequenceNumber) }
        } else {
            if let same = known.recent.first(where: { $0.first == numbers.first && $0.last == numbers.last }) {
                return .duplicate(baseOffset: same.baseOffset)
            }
            let last = known.recent.last?.last ?? -1
            let expected = last == .max ? 0 : last + 1
            guard numbers.first == expected else { return .refused(.outOfOrderSequenceNumber) }
        }
        // Within a transaction, a producer may not write outside of it.
        let isOutside = known.isInTransaction && !header.attributes.contains(.transactional)
        return isOutside ? .refused(.invalidTxnState) : .next
    }

    /// Whether the log has records of an open transaction with this producer and epoch.
    func isInTransaction(_ producerID: Int64, epoch: Int16) -> Bool {
        producers[producerID].map { $0.isInTransaction && $0.epoch == epoch } ?? false
    }

    mutating func wrote(_ header: RecordBatchHeader, at baseOffset: Int64) {
        guard header.producerID >= 0 else { return }
        let numbers = Self.numbers(of: header)
        var producer = producers[header.producerID] ?? Producer(epoch: header.producerEpoch)
        if producer.epoch != header.producerEpoch { producer = Producer(epoch: header.producerEpoch) }
        producer.recent.append(Written(first: numbers.first, last: numbers.last, baseOffset: baseOffset))
        if producer.recent.count > Self.remembered { producer.recent.removeFirst() }
        producer.isInTransaction = header.attributes.contains(.transactional)
        producers[header.producerID] = producer
    }

    /// Ends a producer's transaction. A marker with a later epoch fences the older epochs.
    mutating func ended(_ header: RecordBatchHeader) {
        var producer = producers[header.producerID] ?? Producer(epoch: header.producerEpoch)
        if header.producerEpoch > producer.epoch { producer = Producer(epoch: header.producerEpoch) }
        producer.isInTransaction = false
        producers[header.producerID] = producer
    }

    private static func numbers(of header: RecordBatchHeader) -> (first: Int32, last: Int32) {
        let last = Int64(header.baseSequence) + Int64(max(header.recordCount, 1)) - 1
        return (header.baseSequence, Int32(truncatingIfNeeded: last & Int64(Int32.max)))
    }
}
