// A leader that fails can lose records that no other replica had. Another leader's log then has other records at the same
// offsets, and the consumer has read records that the log doesn't have any more (KIP-320).
extension Fetcher {
    /// Asks the leaders of partitions that need validation whether their logs still have what was read last.
    ///
    /// - Returns: Whether any of these leaders has to be asked again.
    func validatePositions() async throws -> Bool {
        let unvalidated = cursors { $0.canBeValidated }
        return try await askLeaders(of: unvalidated, Obstacle.epochs) { try await self.validatePositions($0, $1) }
    }

    private func validatePositions(
        _ leader: Int32, _ asked: [TopicPartition: PartitionCursor]
    ) async throws -> [TopicPartition: KafkaError] {
        let connection = try await cluster.connection(to: leader, role: .general)
        guard (try? connection.version(for: OffsetForLeaderEpochRequest.self)) != nil else {
            // A broker without this API can't be asked, as no broker could before leader epochs.
            for cursor in asked.values { buffer.update(cursor.slot) { $0.needsValidation = false } }
            return [:]
        }
        let topics = Dictionary(grouping: asked, by: \.key.topic).map { topic, entries in
            OffsetForLeaderEpochRequest.Topic(
                topic: topic,
                partitions: entries.map { key, partition in
                    OffsetForLeaderEpochRequest.Partition(
                        partition: key.partition, currentLeaderEpoch: partition.leaderEpoch,
                        leaderEpoch: partition.position?.lastFetchedEpoch ?? -1)
                })
        }
        let response = try await connection.call(
            OffsetForLeaderEpochRequest(replicaId: -1, topics: topics), timeout: cluster.configuration.requestTimeout)
        var errors = asked.mapValues { _ in
            KafkaError(
                .unknownServerError, "\(connection.address) left out a partition in its leader epochs",
                isRetriable: true)
        }
        for topic in response.topics {
            for answer in topic.partitions {
                let key = TopicPartition(topic: topic.topic, partition: answer.partition)
                errors[key] = nil
                guard let slot = asked[key]?.slot, let position = buffer.cursor(slot)?.position else { continue }
                let code = ErrorCode(rawValue: answer.errorCode)
                guard code == .none else {
                    errors[key] = KafkaError(
                        code, "the broker did not report where a leader epoch ends", isFromBroker: true,
                        topic: topic.topic, partition: answer.partition)
                    continue
                }
                do throws(KafkaError) {
                    if answer.endOffset < 0 || answer.leaderEpoch < 0 {
                        try truncated(slot, to: nil)
                    } else if answer.endOffset < position.offset {
                        try truncated(
                            slot, to: FetchPosition(offset: answer.endOffset, lastFetchedEpoch: answer.leaderEpoch))
                    }
                } catch {
                    buffer.queueFailure(slot, error)
                }
                buffer.update(slot) { $0.needsValidation = false }
            }
        }
        return errors
    }

    /// Handles a diverging epoch in the response to a fetch.
    ///
    /// If a broker reports one divergence after the other, the fetches are retried with back-off.
    ///
    /// - Throws: LOG_TRUNCATION, or CORRUPT_MESSAGE for an epoch that isn't before the position, since following it would bring
    ///   the same response. CORRUPT_MESSAGE as well if the request had no epoch that could diverge.
    func diverged(
        _ cursor: PartitionCursor, _ answer: FetchResponse.EpochEndOffset, by node: Int32
    ) throws(KafkaError) {
        let key = cursor.partition
        let position = cursor.position ?? FetchPosition(offset: 0)
        guard position.lastFetchedEpoch >= 0 else {
            throw KafkaError(
                .corruptMessage, "the broker says that the log diverges from a leader epoch, but it was sent none",
                isRetriable: false, topic: key.topic, partition: key.partition, offset: position.offset)
        }
        buffer.update(cursor.slot) { $0.resets += 1 }
        try follow(answer, from: position, of: cursor)
        guard cursor.resets > 0 else { return }
        retryLater(
            key, node,
            KafkaError(
                .logTruncation, "the broker says again that the log diverges, at offset \(answer.endOffset)",
                isFromBroker: true, isRetriable: true, topic: key.topic, partition: key.partition,
                offset: position.offset))
    }

    private func follow(
        _ answer: FetchResponse.EpochEndOffset, from position: FetchPosition, of cursor: PartitionCursor
    ) throws(KafkaError) {
        guard answer.endOffset >= 0 else { return try truncated(cursor.slot, to: nil) }
        guard answer.endOffset < position.offset || answer.epoch < position.lastFetchedEpoch else {
            throw KafkaError(
                .corruptMessage,
                """
                the broker says that the log diverges at offset \(answer.endOffset) in leader epoch \(answer.epoch), \
                which isn't before the position
                """, isRetriable: false, topic: cursor.partition.topic, partition: cursor.partition.partition,
                offset: position.offset)
        }
        guard answer.endOffset < position.offset else {
            // Everything that was read is in the log; only its epoch was another one.
            buffer.update(cursor.slot) { $0.position?.lastFetchedEpoch = answer.epoch }
            return
        }
        try truncated(cursor.slot, to: FetchPosition(offset: answer.endOffset, lastFetchedEpoch: answer.epoch))
    }

    /// Resumes where a log diverges from what was read of it, unless `auto.offset.reset` is `none`.
    ///
    /// - Parameter divergence: The first offset that differs from what was read; nil if the log doesn't have the epoch.
    /// - Throws: LOG_TRUNCATION
    func truncated(_ slot: FetchSlot, to divergence: FetchPosition?) throws(KafkaError) {
        guard let cursor = buffer.cursor(slot), let position = cursor.position else { return }
        guard let place = offsetReset.place(now: KafkaTimestamp(millisecondsSince1970: cluster.timing.wallClock()))
        else {
            let end = divergence.map { "which ends at offset \($0.offset)" } ?? "which the log doesn't have any more"
            var error = KafkaError(
                .logTruncation,
                """
                the log was truncated: what was read up to here had leader epoch \(position.lastFetchedEpoch), \(end). \
                Seek to where reading is to resume, or set auto.offset.reset
                """, topic: cursor.partition.topic, partition: cursor.partition.partition, offset: position.offset)
            error.divergentOffset = divergence?.offset
            throw error
        }
        buffer.update(slot) { cursor in
            cursor.reset(to: place)
            cursor.position = divergence
        }
        if let divergence { buffer.resume(slot, at: divergence) }
        attention.notify()
    }
}
