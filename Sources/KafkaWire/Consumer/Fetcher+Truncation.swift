// A leader that failed can take records along that nobody else had, so that another leader's log holds others at the same
// offsets. What was read then counts as read although it isn't in the log (KIP-320).
extension Fetcher {
    /// Asks the leaders of the partitions that are in doubt whether their logs still have what was read last.
    ///
    /// - Returns: What is wrong with the first partition that a leader couldn't judge.
    func dispelDoubts() async throws -> KafkaError? {
        let doubtful = partitions.filter { $0.value.isDoubtful && $0.value.position != nil && $0.value.leader != nil }
        return try await ofEachLeader(doubtful) { try await self.dispelDoubts($0, $1) }
    }

    private func dispelDoubts(_ leader: Int32, _ asked: [TopicPartition: Partition]) async throws {
        let connection = try await cluster.connection(to: leader, role: .general)
        guard (try? connection.version(for: OffsetForLeaderEpochRequest.self)) != nil else {
            // It can't be asked; it was so before leader epochs, too.
            for key in asked.keys { partitions[key]?.isDoubtful = false }
            return
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
        for topic in response.topics {
            for answer in topic.partitions {
                let key = TopicPartition(topic: topic.topic, partition: answer.partition)
                guard let slot = asked[key]?.slot, partitions[key]?.slot == slot,
                    let position = partitions[key]?.position
                else { continue }
                let code = ErrorCode(rawValue: answer.errorCode)
                guard code == .none else {
                    throw KafkaError(
                        code, "the broker didn't tell where a leader epoch ends", isFromBroker: true,
                        topic: topic.topic, partition: answer.partition)
                }
                if answer.endOffset < 0 || answer.leaderEpoch < 0 {
                    try truncated(key, to: nil)
                } else if answer.endOffset < position.offset {
                    try truncated(
                        key, to: FetchPosition(offset: answer.endOffset, lastFetchedEpoch: answer.leaderEpoch))
                }
                partitions[key]?.isDoubtful = false
            }
        }
    }

    /// Goes on where a log parts from what was read of it, unless `auto.offset.reset` is `none`.
    ///
    /// - Parameter divergence: The first offset that isn't what was read; nil where the log doesn't have the epoch.
    /// - Throws: LOG_TRUNCATION
    func truncated(_ key: TopicPartition, to divergence: FetchPosition?) throws(KafkaError) {
        guard let partition = partitions[key], let position = partition.position else { return }
        guard let place = offsetReset.place(now: cluster.timing.wallClock()) else {
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
