// The application's side of the buffer, record by record.
extension FetchBuffer {
    /// Why there is no next record.
    enum NoRecord {
        /// The record can't be read.
        case failed(PartitionFailure)
        /// There is a record, but a group holds it back: see `rest`.
        case held
        /// The current batch has no more records for this iterator.
        case exhausted
    }

    /// Hands out the next record of the current batch. Those before it are processed.
    ///
    /// - Parameters:
    ///   - record: Set to the record. A parameter, since a result would be copied on its way through the callers.
    ///   - reason: Set if there is no record.
    /// - Returns: Whether there is a record.
    func nextRecord(
        _ reader: inout BatchReader, into record: inout ConsumerRecord?, otherwise reason: inout NoRecord
    ) -> Bool {
        let id = reader.id
        var isMine = false
        var none = NoRecord.exhausted
        var dropped: [FetchedPartition] = []
        let isFound: Bool = state.withLock { state in
            guard let unread = state.unread, state.takesOver(id, redelivers) else { return false }
            isMine = true
            guard let slot = state.current, state.cursors.contains(slot), !state.isFinished else {
                // The partition was taken away or sought meanwhile.
                state.unread = nil
                return false
            }
            if state.isHeld {
                none = .held
                return false
            }
            guard let offset = unread.next(into: &record) else {
                (none, dropped) = state.failUnread(slot)
                return false
            }
            let end = unread.end
            let isLast = unread.isEmpty
            if isLast { state.unread = nil }
            state.cursors.update(slot) { cursor in
                let next = FetchPosition(offset: offset &+ 1, lastFetchedEpoch: end.lastFetchedEpoch)
                cursor.deliver(recordAt: offset, next: isLast ? end : next)
            }
            state.presence = .awayWithinBatch
            return true
        }
        if isMine { reader.hasBegun = true }
        if !isFound {
            for part in dropped { part.gate.notify() }
            reason = none
        }
        return isFound
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
    ) -> (FetchBuffer.NoRecord, dropped: [FetchedPartition]) {
        let error = unread?.failure
        unread = nil
        guard let error else { return (.exhausted, []) }
        cursors.update(slot) { $0.markProcessed() }
        let (failure, dropped) = fail(slot, error)
        return (failure.map { .failed($0) } ?? .exhausted, dropped)
    }
}

extension FetchBuffer {
    /// The records of a batch that were not handed out yet. The buffer's lock guards it.
    ///
    /// A class, since an optional batch in the state would be copied for each record.
    final class UnreadRecords {
        private let batch: RecordBatch
        private var place: RecordIterator.Place
        /// Whether there is a record that can be read, as far as is known.
        private var hasNext = false
        /// The position after the batch.
        let end: FetchPosition
        /// Why the record after these can't be read; nil if they are the rest of the batch.
        private(set) var failure: KafkaError?

        var isEmpty: Bool { !hasNext && failure == nil }

        init(of batch: RecordBatch, end: FetchPosition) {
            self.batch = batch
            self.end = end
            var records = batch.makeIterator()
            place = records.place
            do throws(KafkaError) {
                if try records.next() != nil { hasNext = true }
            } catch {
                failure = error
            }
        }

        /// Copies the next record.
        ///
        /// - Returns: The record's offset; nil if it can't be read, or there is none.
        func next(into record: inout ConsumerRecord?) -> Int64? {
            guard hasNext else { return nil }
            let batch = batch
            var records = batch.makeIterator()
            records.place = place
            do throws(KafkaError) {
                guard let view = try records.next() else {
                    hasNext = false
                    return nil
                }
                let offset = view.offset
                record = ConsumerRecord(view, of: batch)
                place = records.place
                hasNext = !records.isAtEnd
                return offset
            } catch {
                failure = error
                hasNext = false
                return nil
            }
        }
    }
}
