/// The cursors of the assigned partitions.
///
/// A slot names one assignment or seek of a partition. Each of them gets another generation, so that what belongs to an
/// earlier one finds no cursor.
struct CursorTable: Sendable {
    /// By `FetchSlot.index`. At a vacant index it is the cursor of a partition that was taken away.
    private var cursors: [PartitionCursor] = []
    /// The current slots' generations by `FetchSlot.index`; 0 if the index is vacant.
    ///
    /// Apart from the cursors, since each batch is checked against them, and an optional cursor is copied to look at it.
    private var generations: [Int] = []
    private var indices: [TopicPartition: Int] = [:]
    private var vacant: [Int] = []
    private var lastGeneration = 0
    /// The partitions that a fetch session still has although no cursor is fetched in it any more, with their topics' ids.
    private var abandoned: [FetchSession.Key: [TopicPartition: KafkaUUID]] = [:]

    var count: Int { indices.count }

    /// The cursor of a partition; nil if the partition is not assigned.
    subscript(partition: TopicPartition) -> PartitionCursor? { indices[partition].map { cursors[$0] } }

    /// The cursor of a slot; nil if the partition was taken away or sought since.
    subscript(slot: FetchSlot) -> PartitionCursor? { contains(slot) ? cursors[slot.index] : nil }

    /// Whether a slot is its partition's current one.
    func contains(_ slot: FetchSlot) -> Bool {
        slot.index < generations.count && generations[slot.index] == slot.generation
    }

    /// Whether the partition of a slot is paused, whatever the slot's generation.
    func isPaused(_ slot: FetchSlot) -> Bool { generations[slot.index] != 0 && cursors[slot.index].isPaused }

    var all: some Sequence<PartitionCursor> { occupied.lazy.map { cursors[$0] } }

    private var occupied: some Sequence<Int> { cursors.indices.lazy.filter { generations[$0] != 0 } }

    /// Changes the cursor of a slot.
    ///
    /// - Returns: What `change` returns; nil if the partition was taken away or sought since.
    @discardableResult
    mutating func update<Result>(_ slot: FetchSlot, _ change: (inout PartitionCursor) -> Result) -> Result? {
        contains(slot) ? change(&cursors[slot.index]) : nil
    }

    /// Changes the cursor of a partition, if it is assigned.
    mutating func update(_ partition: TopicPartition, _ change: (inout PartitionCursor) -> Void) {
        if let index = indices[partition] { change(&cursors[index]) }
    }

    mutating func updateAll(_ change: (inout PartitionCursor) -> Void) {
        for index in cursors.indices where generations[index] != 0 { change(&cursors[index]) }
    }

    /// Adds a partition, or moves it to another place if it is assigned already.
    mutating func place(_ partition: TopicPartition, at start: ConsumerStart, maximumBytes: Int32) -> FetchSlot {
        lastGeneration += 1
        let index = indices[partition] ?? vacant.popLast() ?? cursors.count
        let slot = FetchSlot(index: index, generation: lastGeneration)
        var cursor =
            self[partition]?.placed(at: start, slot: slot, maximumBytes: maximumBytes)
            ?? PartitionCursor(partition: partition, slot: slot, start: start.spec, maximumBytes: maximumBytes)
        cursor.begin(at: start)
        if index < cursors.count {
            (cursors[index], generations[index]) = (cursor, lastGeneration)
        } else {
            cursors.append(cursor)
            generations.append(lastGeneration)
        }
        indices[partition] = index
        return slot
    }

    /// Takes a partition away.
    ///
    /// - Returns: Its cursor; nil if it was not assigned.
    mutating func remove(_ partition: TopicPartition) -> PartitionCursor? {
        guard let index = indices.removeValue(forKey: partition) else { return nil }
        let cursor = cursors[index]
        if let announced = cursor.announced { abandon(partition, announced) }
        generations[index] = 0
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
        for index in cursors.indices where generations[index] != 0 {
            let cursor = cursors[index]
            let known = cursor.announced.flatMap { $0.session == session ? $0.fetch : nil }
            guard let requested = wanted[cursor.partition], requested.slot == cursor.slot else {
                if let known {
                    changes.forgotten[cursor.partition] = known.topicID
                    cursors[index].announced = nil
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
            cursors[index].announced = PartitionCursor.Announcement(session: session, fetch: fetch)
        }
        return changes
    }

    private mutating func abandon(_ partition: TopicPartition, _ announced: PartitionCursor.Announcement) {
        abandoned[announced.session, default: [:]][partition] = announced.fetch.topicID
    }
}

extension CursorTable {
    /// Collects a property of each partition that has it.
    func collect<Value>(_ value: (PartitionCursor) -> Value?) -> [TopicPartition: Value] {
        var values: [TopicPartition: Value] = [:]
        for cursor in all { values[cursor.partition] = value(cursor) }
        return values
    }
}
