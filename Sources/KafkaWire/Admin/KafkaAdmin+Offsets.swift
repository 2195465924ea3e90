extension KafkaAdmin {
    /// Writes a group's offsets, for a group that has no members: what tools show as its lag.
    ///
    /// - Parameters:
    ///   - offsets: For each partition the offset to go on from.
    ///   - limit: How long to try; `default.api.timeout.ms` where nil.
    /// - Throws: UNKNOWN_MEMBER_ID where the group has members, and what else the coordinator finds.
    public func commitOffsets(
        group: String, _ offsets: [TopicPartition: Int64], limit: Duration? = nil
    ) async throws {
        let topics = Set(offsets.keys.map(\.topic)).sorted()
        let descriptions = try await cluster.describe(topics: topics)
        let request = OffsetCommitRequest(
            groupId: group,
            topics: descriptions.map { topic in
                OffsetCommitRequest.Topic(
                    name: topic.name, topicId: topic.id,
                    partitions: offsets.filter { $0.key.topic == topic.name }.map { partition, offset in
                        OffsetCommitRequest.Partition(
                            partitionIndex: partition.partition, committedOffset: offset, committedMetadata: "")
                    })
            })
        // From version 10 on an answer knows topics by their ids alone.
        let names = Dictionary(descriptions.map { ($0.id, $0.name) }) { first, _ in first }
        try await cluster.retrying(limit: limit) {
            let connection = try await cluster.connection(to: .group(group))
            let response = try await connection.call(request, timeout: cluster.configuration.requestTimeout)
            for topic in response.topics {
                for partition in topic.partitions {
                    let code = ErrorCode(rawValue: partition.errorCode)
                    guard code != .none else { continue }
                    throw KafkaError(
                        code, "the group's offset can't be written", isFromBroker: true,
                        topic: topic.name.isEmpty ? names[topic.topicId] : topic.name,
                        partition: partition.partitionIndex)
                }
            }
        }
    }
}
