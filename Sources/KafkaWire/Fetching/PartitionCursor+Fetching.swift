import Concurrency

// The fetcher's side of a cursor.
extension PartitionCursor {
    /// The broker to fetch from; nil if the partition has no leader or has failed.
    var source: Int32? { leader == nil || hasFailed ? nil : replica?.node ?? leader }

    var needsLeader: Bool { leader == nil && !hasFailed }
    var needsOffset: Bool { position == nil && leader != nil && !hasFailed }
    var canBeValidated: Bool { needsValidation && position != nil && leader != nil && !hasFailed }

    /// Whether a topic id is known to be another one than that of the topic to read.
    func isOther(_ id: KafkaUUID) -> Bool { topicID != .zero && id != .zero && id != topicID }

    /// Uses the topic id of the metadata.
    mutating func identify(as id: KafkaUUID) {
        // Earlier metadata were out of date. An offset that a broker named may belong to the other topic.
        if isOther(id) {
            if case .offset = start {} else { position = nil }
        }
        mismatchSince = nil
        if id != .zero { topicID = id }
    }

    /// Notes that the metadata name another topic.
    ///
    /// - Returns: The time since when they do.
    mutating func mismatched(at now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let since = mismatchSince ?? now
        mismatchSince = since
        return since
    }

    /// Follows another leader. Its log may differ, so it is compared with what was read before the next fetch.
    mutating func follow(_ node: Int32, epoch: Int32) {
        if epoch > leaderEpoch, position.map({ $0.lastFetchedEpoch >= 0 }) == true { needsValidation = true }
        leader = node
        leaderEpoch = epoch
    }

    /// Stops fetching from a broker. If it was a replica, the leader is next; otherwise the leader is looked up again.
    mutating func leave(_ node: Int32) {
        if replica?.node == node { replica = nil } else { leader = nil }
    }

    /// Has the leader looked up again.
    mutating func forgetLeader() {
        (leader, replica) = (nil, nil)
    }

    /// Returns to the leader when the replica's time is up, since another replica may be better by then.
    ///
    /// - Returns: Whether the time is up.
    mutating func leaveExpiredReplica(at now: ContinuousClock.Instant) -> Bool {
        guard let replica, replica.until <= now else { return false }
        self.replica = nil
        return true
    }

    /// What to ask of this broker; nil if nothing is to be fetched from it now.
    ///
    /// - Parameter limit: The most bytes that may be asked of the broker.
    func fetch(from node: Int32, limit: Int32) -> PartitionFetch? {
        guard source == node, !isPaused, !needsValidation, let position else { return nil }
        return PartitionFetch(
            topicID: topicID, position: position, leaderEpoch: leaderEpoch, maximumBytes: min(maximumBytes, limit))
    }

    /// Whether a response to this fetch is still wanted.
    ///
    /// It is not if the partition was sought since, if another broker that leads the partition now has answered meanwhile,
    /// or if the fetch was for another topic of this name.
    func awaits(_ requested: RequestedFetch) -> Bool {
        slot == requested.slot && position == requested.fetch.position && topicID == requested.fetch.topicID
            && !hasFailed
    }

    /// Notes the ends of the log. A negative number means that the broker doesn't know it.
    mutating func saw(highWatermark: Int64, end: Int64) {
        self.highWatermark = highWatermark < 0 ? nil : highWatermark
        self.end = end < 0 ? nil : end
    }

    /// Moves the position past the batches of a response.
    mutating func fetched(upTo next: FetchPosition) {
        position = next
        shortfalls = 0
    }

    /// Has the leader asked for the offset of a place.
    mutating func reset(to place: OffsetSpec) {
        start = place
        position = nil
    }

    /// Raises the limit of the next fetch, since a response contained no whole batch.
    ///
    /// - Parameter batch: The length of the batch by its header; nil if unknown.
    mutating func raiseLimit(batch length: Int?) {
        shortfalls += 1
        let doubled = maximumBytes > .max / 2 ? Int32.max : maximumBytes * 2
        maximumBytes = max(doubled, Int32(clamping: length ?? 1024))
    }
}
