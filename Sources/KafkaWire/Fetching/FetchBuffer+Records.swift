// The application's side of the buffer, record by record.
extension FetchBuffer {
    enum NextRecord {
        case record(ConsumerRecord)
        /// The record can't be read.
        case failed(PartitionFailure)
        /// There is a record, but a group holds it back: see `rest`.
        case held
        /// The current batch has no more records for this iterator.
        case exhausted
    }

    /// Hands out the next record of the current batch. Those before it are processed.
    func nextRecord(_ reader: inout BatchReader) -> NextRecord {
        let id = reader.id
        let (next, dropped): (NextRecord?, [FetchedPartition]) = state.withLock { state in
            guard !state.unread.isEmpty, state.takesOver(id, redelivers) else { return (nil, []) }
            guard let slot = state.current, state.cursors.contains(slot), !state.isFinished else {
                // The partition was taken away or sought meanwhile.
                state.unread = UnreadRecords()
                return (.exhausted, [])
            }
            if state.isHeld { return (.held, []) }
            guard let record = state.unread.records.popLast() else { return state.failUnread(slot) }
            let isLast = state.unread.isEmpty
            let end = state.unread.end
            state.cursors.update(slot) { cursor in
                let next = FetchPosition(offset: record.offset &+ 1, lastFetchedEpoch: end.lastFetchedEpoch)
                cursor.deliver(recordAt: record.offset, next: isLast ? end : next)
            }
            state.presence = .awayWithinBatch
            return (.record(record), [])
        }
        for part in dropped { part.gate.notify() }
        guard let next else { return .exhausted }
        reader.hasBegun = true
        return next
    }

    /// Keeps the application between two records of a batch, as if it waited for a batch, while a group holds records back.
    /// What it was given before is processed.
    func rest() async throws {
        state.withLock { state in
            state.presence = .waiting
            guard let slot = state.current else { return }
            state.cursors.update(slot) { $0.markProcessed() }
        }
        applicationReturned.notify()
        while state.withLock({ $0.isHeld && !$0.isFinished }) {
            try Task.checkCancellation()
            await arrival.wait()
        }
    }
}

extension FetchBuffer.State {
    /// Hands out the error of a record that can't be read. The records before it are processed.
    fileprivate mutating func failUnread(
        _ slot: FetchSlot
    ) -> (FetchBuffer.NextRecord?, dropped: [FetchedPartition]) {
        guard let error = unread.failure else { return (nil, []) }
        unread = FetchBuffer.UnreadRecords()
        cursors.update(slot) { $0.markProcessed() }
        let (failure, dropped) = fail(slot, error)
        return (failure.map { .failed($0) } ?? .exhausted, dropped)
    }
}

extension FetchBuffer.UnreadRecords {
    /// Copies the records of a batch, to hand them out one by one.
    init(copying batch: RecordBatch, end: FetchPosition) {
        self.end = end
        records.reserveCapacity(batch.recordCount)
        var remaining = batch.makeIterator()
        do throws(KafkaError) {
            while let record = try remaining.next() { records.append(ConsumerRecord(record, of: batch)) }
        } catch {
            failure = error
        }
        records.reverse()
    }
}
