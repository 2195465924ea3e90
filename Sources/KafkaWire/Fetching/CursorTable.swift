/// The cursors of the assigned partitions.
///
/// A slot names one assignment or seek of a partition. Each of them gets another generation, so that what belongs to an
/// earlier one finds no cursor.
struct CursorTable: Sendable {
    /// By `FetchSlot.index`; nil if the index is vacant.
    private var cursors: [PartitionCursor?] = []
    private var indices: [TopicPartition: Int] = [:]
    private var vacant: [Int] = []
    private var lastGeneration = 0
    /// The partitions that a fetch session still has although no cursor is fetched in it any more, with their topics' ids.
    private var abandoned: [FetchSession.Key: [TopicPartition: KafkaUUID]] = [:]

    var count: Int { indices.count }

    /// The cursor of a partition; nil if the partition is not assigned.
    subscript(partition: TopicPartition) -> PartitionCursor? { indices[partition].flatMap { cursors[$0] } }

    /// The cursor of a slot; nil if the partition was taken away or sought since.
    subscript(slot: FetchSlot) -> PartitionCursor? { contains(slot) ? cursors[slot.index] : nil }

    /// Whether a slot is its partition's current one.
    func contains(_ slot: FetchSlot) -> Bool {
        slot.index < cursors.count && cursors[slot.index]?.slot.generation == slot.generation
    }

    /// Whether the partition of a slot is paused, whatever the slot's generation.
    func isPaused(_ slot: FetchSlot) -> Bool { cursors[slot.index]?.isPaused == true }

    var all: some Sequence<PartitionCursor> { cursors.lazy.compactMap { $0 } }

    /// Changes the cursor of a slot.
    ///
    /// - Returns: What `change` returns; nil if the partition was taken away or sought since.
    @discardableResult
    mutating func update<Result>(_ slot: FetchSlot, _ change: (inout PartitionCursor) -> Result) -> Result? {
        contains(slot) ? cursors[slot.index]?.apply(change) : nil
    }

    /// Changes the cursor of a partition, if it is assigned.
    mutating func update(_ partition: TopicPartition, _ change: (inout PartitionCursor) -> Void) {
        if let index = indices[partition] { cursors[index]?.apply(change) }
    }

    mutating func updateAll(_ change: (inout PartitionCursor) -> Void) {
        for index in cursors.indices { cursors[index]?.apply(change) }
    }

    /// Adds a partition, or moves it to another place if it is assigned already.
    mutating func place(_ partition: TopicPartition, at start: ConsumerStart, maximumBytes: Int32) -> FetchSlot {
        lastGeneration += 1
        let index: Int
        if let known = indices[partition] {
            index = known
        } else if let free = vacant.popLast() {
            index = free
        } else {
            index = cursors.count
            cursors.append(nil)
        }
        let slot = FetchSlot(index: index, generation: lastGeneration)
        var cursor =
            cursors[index]?.placed(at: start, slot: slot, maximumBytes: maximumBytes)
            ?? PartitionCursor(partition: partition, slot: slot, start: start.spec, maximumBytes: maximumBytes)
        cursor.begin(at: start)
        cursors[index] = cursor
        indices[partition] = index
        return slot
    }

    /// Takes a partition away.
    ///
    /// - Returns: Its cursor; nil if it was not assigned.
    mutating func remove(_ partition: TopicPartition) -> PartitionCursor? {
        guard let index = indices.removeValue(forKey: partition), let cursor = cursors[index] else { return nil }
        if let announced = cursor.announced { abandon(partition, announced) }
        cursors[index] = nil
        vacant.append(index)
        return cursor
    }
}

// Fetch sessions: what the client has sent to brokers about the partitions.
extension CursorTable {
    /// What the next request in a fetch session has to name.
    struct Changes {
        /// The partitions that are new in the session or have changed.
        var partitions: [TopicPartition] = []
        /// The partitions that are not fetched in the session any more, with their topics' ids.
        var forgotten: [TopicPartition: KafkaUUID] = [:]
    }

    /// Compares what is to be fetched with what the session's requests have named, and notes the differences as sent.
    ///
    /// Fetches of partitions that were taken away or sought meanwhile are left out.
    mutating func announce(_ wanted: [TopicPartition: RequestedFetch], in session: FetchSession.Key) -> Changes {
        var changes = Changes(forgotten: abandoned.removeValue(forKey: session) ?? [:])
        // Earlier sessions with this broker have ended.
        if !abandoned.isEmpty { abandoned = abandoned.filter { $0.key.node != session.node } }
        for index in cursors.indices {
            guard let cursor = cursors[index] else { continue }
            let known = cursor.announced.flatMap { $0.session == session ? $0.fetch : nil }
            guard let requested = wanted[cursor.partition], requested.slot == cursor.slot else {
                if let known {
                    changes.forgotten[cursor.partition] = known.topicID
                    cursors[index]?.announced = nil
                }
                continue
            }
            let fetch = requested.fetch
            if let known, known.topicID != fetch.topicID {
                // A recreated topic is another topic: the one with the earlier id is forgotten.
                changes.forgotten[cursor.partition] = known.topicID
            } else if changes.forgotten[cursor.partition] == fetch.topicID {
                // A broker would add the partition first, and then remove it.
                changes.forgotten[cursor.partition] = nil
            }
            guard known != fetch else { continue }
            changes.partitions.append(cursor.partition)
            // Another broker's session may have it still.
            if let announced = cursor.announced, announced.session.node != session.node {
                abandon(cursor.partition, announced)
            }
            cursors[index]?.announced = PartitionCursor.Announcement(session: session, fetch: fetch)
        }
        return changes
    }

    private mutating func abandon(_ partition: TopicPartition, _ announced: PartitionCursor.Announcement) {
        abandoned[announced.session, default: [:]][partition] = announced.fetch.topicID
    }
}

extension PartitionCursor {
    fileprivate mutating func apply<Result>(_ change: (inout PartitionCursor) -> Result) -> Result { change(&self) }
}

extension CursorTable {
    /// Collects a property of each partition that has it.
    func collect<Value>(_ value: (PartitionCursor) -> Value?) -> [TopicPartition: Value] {
        var values: [TopicPartition: Value] = [:]
        for cursor in all { values[cursor.partition] = value(cursor) }
        return values
    }
}
