// The application's side of a cursor.
extension PartitionCursor {
    /// Whether everything that may be read was handed out. False if unknown.
    var isCaughtUp: Bool {
        guard reportedFailure == nil, let delivered, let end else { return false }
        return delivered.offset >= end
    }

    /// The number of offsets between the position and the end of what may be read; nil if unknown.
    var lag: Int64? {
        guard let delivered, let end else { return nil }
        return offsetDistance(from: delivered.offset, to: end)
    }

    /// Whether the application has not processed everything that it was given.
    var isInProgress: Bool { processed != delivered }

    /// Marks everything that was handed out as processed.
    mutating func markProcessed() {
        if let delivered { processed = delivered }
    }

    /// Moves past something that contains no record for the application.
    mutating func skip(to next: FetchPosition) {
        (delivered, processed) = (next, next)
    }

    /// Moves past a record that is handed out; those before it are processed.
    mutating func deliver(recordAt offset: Int64, next: FetchPosition) {
        delivered = next
        processed = FetchPosition(offset: offset, lastFetchedEpoch: next.lastFetchedEpoch)
    }

    /// Begins at the position that a broker named, unless a position is known already.
    ///
    /// - Returns: Whether it begins there.
    mutating func resume(at position: FetchPosition) -> Bool {
        guard delivered == nil else { return false }
        skip(to: position)
        return true
    }

    /// The event to give to the application.
    func failure(_ error: KafkaError) -> PartitionFailure {
        var error = error
        error.topic = partition.topic
        error.partition = partition.partition
        return PartitionFailure(partition: partition, offset: error.offset ?? delivered?.offset, error: error)
    }
}
