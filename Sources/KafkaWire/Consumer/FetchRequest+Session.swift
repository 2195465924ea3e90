extension FetchRequest {
    /// The request of a fetch session.
    ///
    /// - Parameters:
    ///   - asked: What the session names, of which `wanted` has the details.
    ///   - version: In which the request will be written.
    init(
        _ asked: FetchSession.Request, _ wanted: [TopicPartition: PartitionFetch],
        _ configuration: ConsumerConfiguration, version: Int16
    ) {
        self.init(
            maxWaitMs: configuration.fetchMaximumWait.asMilliseconds,
            minBytes: Int32(clamping: configuration.fetchMinimumBytes),
            maxBytes: Int32(clamping: configuration.fetchMaximumBytes),
            isolationLevel: configuration.isolationLevel.rawValue,
            sessionId: asked.sessionID, sessionEpoch: asked.epoch,
            topics: Self.neighbours(asked.partitions).map { topic, keys in
                Topic(
                    topic: topic, topicId: wanted[keys[0]]?.topicID ?? .zero,
                    partitions: keys.compactMap { key in
                        guard let fetch = wanted[key] else { return nil }
                        return Partition(
                            partition: key.partition, currentLeaderEpoch: fetch.leaderEpoch,
                            fetchOffset: fetch.position.offset,
                            lastFetchedEpoch: version >= 12 ? fetch.position.lastFetchedEpoch : -1,
                            partitionMaxBytes: fetch.maximumBytes)
                    })
            },
            forgottenTopicsData: Self.neighbours(asked.forgotten.keys.sorted()).map { topic, keys in
                ForgottenTopic(
                    topic: topic, topicId: asked.forgotten[keys[0]] ?? .zero, partitions: keys.map(\.partition))
            }, rackId: version >= 11 ? configuration.rack : "")
    }

    /// Groups partitions by topic where they are neighbours, and no others, so that their order stays.
    private static func neighbours(_ keys: [TopicPartition]) -> [(topic: String, keys: [TopicPartition])] {
        var groups: [(topic: String, keys: [TopicPartition])] = []
        for key in keys {
            if groups.last?.topic == key.topic {
                groups[groups.count - 1].keys.append(key)
            } else {
                groups.append((key.topic, [key]))
            }
        }
        return groups
    }
}
