import KafkaWire

/// What a partition knows of its idempotent producers (KIP-98).
struct ProducerStates {
    private struct Written {
        let first: Int32
        let last: Int32
        let baseOffset: Int64
    }

    private struct Producer {
        var epoch: Int16
        /// The last five batches, by which one that is sent again is found out.
        var recent: [Written]
    }

    enum Verdict: Equatable {
        case next
        /// It was written before, at this offset.
        case duplicate(baseOffset: Int64)
        case refused(ErrorCode)
    }

    private static let remembered = 5
    private var producers: [Int64: Producer] = [:]

    /// What to do with a batch of this header.
    ///
    /// A producer that the log doesn't know may begin with any number, since retention can have removed its batches
    /// (KIP-360).
    func check(_ header: RecordBatchHeader) -> Verdict {
        guard header.producerID >= 0, let known = producers[header.producerID], let last = known.recent.last else {
            return .next
        }
        if header.producerEpoch < known.epoch { return .refused(.invalidProducerEpoch) }
        guard header.producerEpoch == known.epoch else {
            return header.baseSequence == 0 ? .next : .refused(.outOfOrderSequenceNumber)
        }
        let numbers = Self.numbers(of: header)
        if let same = known.recent.first(where: { $0.first == numbers.first && $0.last == numbers.last }) {
            return .duplicate(baseOffset: same.baseOffset)
        }
        let expected = last.last == .max ? 0 : last.last + 1
        return numbers.first == expected ? .next : .refused(.outOfOrderSequenceNumber)
    }

    mutating func wrote(_ header: RecordBatchHeader, at baseOffset: Int64) {
        guard header.producerID >= 0 else { return }
        let numbers = Self.numbers(of: header)
        var producer = producers[header.producerID] ?? Producer(epoch: header.producerEpoch, recent: [])
        if producer.epoch != header.producerEpoch { producer = Producer(epoch: header.producerEpoch, recent: []) }
        producer.recent.append(Written(first: numbers.first, last: numbers.last, baseOffset: baseOffset))
        if producer.recent.count > Self.remembered { producer.recent.removeFirst() }
        producers[header.producerID] = producer
    }

    private static func numbers(of header: RecordBatchHeader) -> (first: Int32, last: Int32) {
        let last = Int64(header.baseSequence) + Int64(max(header.recordCount, 1)) - 1
        return (header.baseSequence, Int32(truncatingIfNeeded: last & Int64(Int32.max)))
    }
}
