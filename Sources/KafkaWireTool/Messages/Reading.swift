import KafkaWire

/// How far the partitions of `-C` are read, and when that is enough: a plain value.
struct Reading {
    /// A partition.
    struct Place: Equatable {
        let begin: Int64
        /// The end of the log when the reading began.
        let end: Int64
        var next: Int64
        /// Whether it was told that the end is reached.
        var isReported = false
        var isOver = false
        /// Only records below this offset are printed; nil for all.
        var printsBefore: Int64?

        init(begin: Int64, end: Int64) {
            self.begin = begin
            self.end = end
            next = begin
        }
    }

    private(set) var places: [TopicPartition: Place]
    private(set) var count = 0
    /// What is to be told once the records before it are out.
    private var news: [String] = []
    let limit: Int
    private let exitsAtEnd: Bool

    /// - Parameters:
    ///   - exitsAtEnd: Whether a partition is over at the end that it had when the reading began.
    ///   - limit: How many records are enough.
    init(range: [TopicPartition: Place], exitsAtEnd: Bool, limit: Int) {
        self.limit = limit
        self.exitsAtEnd = exitsAtEnd
        places = range
        if exitsAtEnd {
            for partition in range.keys { places[partition]?.printsBefore = range[partition]?.end }
        }
    }

    var isOver: Bool { count >= limit || places.values.allSatisfy(\.isOver) }

    /// Sees to the partitions in which there is nothing to read at the beginning.
    mutating func reportEmpty() {
        for (partition, place) in places.sorted(by: { $0.key < $1.key }) where place.begin >= place.end {
            report(partition, at: min(place.begin, place.end))
        }
    }

    /// Takes over what became of a batch.
    ///
    /// - Returns: Whether the partition is over with it.
    mutating func take(_ printed: RecordPrinter.Printed, of partition: TopicPartition) -> Bool {
        guard var place = places[partition] else { return false }
        count += printed.count
        place.next = printed.nextOffset
        if printed.isAtEnd, !exitsAtEnd || printed.nextOffset < place.end { place.isOver = true }
        places[partition] = place
        if exitsAtEnd, printed.isAtEnd || place.next >= place.end { report(partition, at: place.next) }
        return places[partition]?.isOver ?? false
    }

    /// A partition in which nothing is left to read at the moment, though perhaps its end lies further on: behind a
    /// transaction that isn't decided.
    mutating func caughtUp(_ partition: TopicPartition, at offset: Int64?) {
        report(partition, at: offset ?? places[partition]?.next ?? 0)
    }

    /// Takes what is to be told, for once.
    mutating func takeNews() -> [String] {
        defer { news = [] }
        return news
    }

    private mutating func report(_ partition: TopicPartition, at offset: Int64) {
        guard var place = places[partition], !place.isReported, !place.isOver else { return }
        place.isReported = true
        if exitsAtEnd { place.isOver = true }
        places[partition] = place
        news.append(
            "Reached end of topic \(partition.topic) [\(partition.partition)] at offset \(offset)"
                + (exitsAtEnd && isOver ? ": exiting" : ""))
    }
}
