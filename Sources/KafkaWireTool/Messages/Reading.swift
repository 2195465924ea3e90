import KafkaWire

/// The progress of `-C` in each partition, which decides when reading ends. Does no I/O.
struct Reading {
    /// The progress in one partition.
    struct Place: Equatable {
        let begin: Int64
        /// The end of the log when the reading began.
        let end: Int64
        var next: Int64
        /// Whether a note about reaching the end was made.
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
    /// Notes to print after the records before them are written.
    private var notes: [String] = []
    let limit: Int
    private let exitsAtEnd: Bool

    /// - Parameters:
    ///   - exitsAtEnd: Whether to finish a partition at the end that it had when reading began.
    ///   - limit: The maximum number of records.
    init(range: [TopicPartition: Place], exitsAtEnd: Bool, limit: Int) {
        self.limit = limit
        self.exitsAtEnd = exitsAtEnd
        places = range
        if exitsAtEnd {
            for partition in range.keys { places[partition]?.printsBefore = range[partition]?.end }
        }
    }

    var isOver: Bool { count >= limit || places.values.allSatisfy(\.isOver) }

    /// Notes the end of partitions that have nothing to read when reading begins.
    mutating func reportEmpty() {
        for (partition, place) in places.sorted(by: { $0.key < $1.key }) where place.begin >= place.end {
            report(partition, at: min(place.begin, place.end))
        }
    }

    /// Records the result of printing a batch.
    ///
    /// - Returns: Whether the partition is finished.
    mutating func take(_ printed: RecordPrinter.Printed, of partition: TopicPartition) -> Bool {
        guard var place = places[partition] else { return false }
        count += printed.count
        place.next = printed.nextOffset
        if printed.isAtEnd, !exitsAtEnd || printed.nextOffset < place.end { place.isOver = true }
        places[partition] = place
        if exitsAtEnd, printed.isAtEnd || place.next >= place.end { report(partition, at: place.next) }
        return places[partition]?.isOver ?? false
    }

    /// Notes the end of a partition that currently has nothing left to read. Its log may continue with an open
    /// transaction.
    mutating func caughtUp(_ partition: TopicPartition, at offset: Int64?) {
        report(partition, at: offset ?? places[partition]?.next ?? 0)
    }

    /// Returns the notes to print, and clears them.
    mutating func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    private mutating func report(_ partition: TopicPartition, at offset: Int64) {
        guard var place = places[partition], !place.isReported, !place.isOver else { return }
        place.isReported = true
        if exitsAtEnd { place.isOver = true }
        places[partition] = place
        notes.append(
            "Reached end of topic \(partition.topic) [\(partition.partition)] at offset \(offset)"
                + (exitsAtEnd && isOver ? ": exiting" : ""))
    }
}
