extension FetchSession.Request {
    /// The request to send.
    ///
    /// - Parameters:
    ///   - wanted: The details of the partitions that the session names.
    ///   - version: The version in which the request will be written.
    func fetchRequest(
        _ wanted: [TopicPartition: RequestedFetch], _ configuration: ConsumerConfiguration, version: Int16
    ) -> FetchRequest {
        FetchRequest(
            maxWaitMs: configuration.maximumFetchWait.asMilliseconds,
            minBytes: Int32(clamping: configuration.minimumFetchBytes),
            maxBytes: Int32(clamping: configuration.maximumFetchBytes),
            isolationLevel: configuration.isolationLevel.rawValue,
            sessionId: sessionID, sessionEpoch: epoch,
            topics: Self.neighbours(partitions).map { topic, keys in
                FetchRequest.Topic(
                    topic: topic, topicId: wanted[keys[0]]?.fetch.topicID ?? .zero,
                    partitions: keys.compactMap { key in
                        guard let fetch = wanted[key]?.fetch else { return nil }
                        return FetchRequest.Partition(
                            partition: key.partition, currentLeaderEpoch: fetch.leaderEpoch,
                            fetchOffset: fetch.position.offset,
                            lastFetchedEpoch: version >= 12 ? fetch.position.lastFetchedEpoch : -1,
                            partitionMaxBytes: fetch.maximumBytes)
                    })
            },
            forgottenTopicsData: Self.neighbours(forgotten.keys.sorted()).map { topic, keys in
                FetchRequest.ForgottenTopic(
                    topic: topic, topicId: forgotten[keys[0]] ?? .zero, partitions: keys.map(\.partition))
            }, rackId: version >= 11 ? configuration.rack : "")
    }

    /// Groups neighbouring partitions of the same topic. The order of the partitions stays as it is.
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
