// A leader that fails can lose records that no other replica had. Another leader's log then holds other records at the same
// offsets, and what was read counts as read although it isn't in the log (KIP-320).
extension Fetcher {
    /// Asks the leaders of the doubtful partitions whether their logs still have what was read last.
    ///
    /// - Returns: Whether partitions remain doubtful.
    func dispelDoubts() async throws -> Bool {
        let doubtful = partitions.filter {
            $0.value.isDoubtful && !$0.value.hasFailed && $0.value.position != nil && $0.value.leader != nil
        }
        return try await askLeaders(of: doubtful, Obstacle.epochs) { try await self.dispelDoubts($0, $1) }
    }

    private func dispelDoubts(
        _ leader: Int32, _ asked: [TopicPartition: Partition]
    ) async throws -> [TopicPartition: KafkaError] {
        let connection = try await cluster.connection(to: leader, role: .general)
        guard (try? connection.version(for: OffsetForLeaderEpochRequest.self)) != nil else {
            // It can't be asked; it was so before leader epochs, too.
            for key in asked.keys { partitions[key]?.isDoubtful = false }
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
                guard let slot = asked[key]?.slot, partitions[key]?.slot == slot,
                    let position = partitions[key]?.position
                else { continue }
                let code = ErrorCode(rawValue: answer.errorCode)
                guard code == .none else {
                    errors[key] = KafkaError(
                        code, "the broker didn't tell where a leader epoch ends", isFromBroker: true,
                        topic: topic.topic, partition: answer.partition)
                    continue
                }
                do throws(KafkaError) {
                    if answer.endOffset < 0 || answer.leaderEpoch < 0 {
                        try truncated(key, to: nil)
                    } else if answer.endOffset < position.offset {
                        try truncated(
                            key, to: FetchPosition(offset: answer.endOffset, lastFetchedEpoch: answer.leaderEpoch))
                    }
                } catch {
                    fail(key, error)
                }
                partitions[key]?.isDoubtful = false
            }
        }
        return errors
    }

    /// Handles a diverging epoch in the response to a fetch.
    ///
    /// A broker that reports divergences again and again is asked again after pauses.
    ///
    /// - Throws: LOG_TRUNCATION, or CORRUPT_MESSAGE for an epoch that doesn't lie before the position: following it would
    ///   bring the same response again. CORRUPT_MESSAGE as well if the request had no epoch that could diverge.
    func diverged(
        _ key: TopicPartition, _ position: FetchPosition, _ answer: FetchResponse.EpochEndOffset, by node: Int32
    ) throws(KafkaError) {
        guard position.lastFetchedEpoch >= 0 else {
            throw KafkaError(
                .corruptMessage, "the broker says that the log diverges from a leader epoch, but it was sent none",
                isRetriable: false, topic: key.topic, partition: key.partition, offset: position.offset)
        }
        let isRepeated = (partitions[key]?.resets ?? 0) > 0
        partitions[key]?.resets += 1
        try follow(answer, from: position, of: key)
        guard isRepeated else { return }
        retryLater(
            key, node,
            KafkaError(
                .logTruncation, "the broker says again that the log diverges, at offset \(answer.endOffset)",
                isFromBroker: true, isRetriable: true, topic: key.topic, partition: key.partition,
                offset: position.offset))
    }

    private func follow(
        _ answer: FetchResponse.EpochEndOffset, from position: FetchPosition, of key: TopicPartition
    ) throws(KafkaError) {
        guard answer.endOffset >= 0 else { return try truncated(key, to: nil) }
        guard answer.endOffset < position.offset || answer.epoch < position.lastFetchedEpoch else {
            throw KafkaError(
                .corruptMessage,
                """
                the broker says that the log diverges at offset \(answer.endOffset) in leader epoch \(answer.epoch), \
                which isn't before the position
                """, isRetriable: false, topic: key.topic, partition: key.partition, offset: position.offset)
        }
        let end = min(answer.endOffset, position.offset)
        guard end < position.offset else {
            // Nothing of what was read is missing; only the epoch was another one.
            partitions[key]?.position?.lastFetchedEpoch = answer.epoch
            return
        }
        try truncated(key, to: FetchPosition(offset: end, lastFetchedEpoch: answer.epoch))
    }

    /// Resumes where a log diverges from what was read of it, unless `auto.offset.reset` is `none`.
    ///
    /// - Parameter divergence: The first offset that differs from what was read; nil if the log doesn't have the epoch.
    /// - Throws: LOG_TRUNCATION
    func truncated(_ key: TopicPartition, to divergence: FetchPosition?) throws(KafkaError) {
        guard let partition = partitions[key], let position = partition.position else { return }
        guard let place = offsetReset.place(now: KafkaTimestamp(millisecondsSince1970: cluster.timing.wallClock()))
        else {
            let end = divergence.map { "which ends at offset \($0.offset)" } ?? "which the log doesn't have any more"
            var error = KafkaError(
                .logTruncation,
                """
                the log was cut back: what was read up to here had leader epoch \(position.lastFetchedEpoch), \(end). \
                Seek to where reading is to go on, or set auto.offset.reset
                """, topic: key.topic, partition: key.partition, offset: position.offset)
            error.divergentOffset = divergence?.offset
            throw error
        }
        partitions[key]?.position = divergence
        partitions[key]?.start = place
        if let divergence { buffer.began(partition.slot, at: divergence) }
        attention.notify()
    }
}
