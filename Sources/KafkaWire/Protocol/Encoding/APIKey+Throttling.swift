extension APIKey {
    /// The first version in which the broker responds immediately and the client must wait for the throttle time
    /// (KIP-219).
    ///
    /// Before, the broker delays the response itself. nil if the API's responses have no throttle time.
    var firstVersionThrottledByClient: Int16? {
        switch self {
        case .saslHandshake, .saslAuthenticate: nil
        case .fetch: 8
        case .produce, .metadata: 6
        case .offsetCommit, .offsetFetch: 4
        case .listOffsets, .joinGroup, .createTopics: 3
        case .findCoordinator, .heartbeat, .leaveGroup, .syncGroup, .describeGroups, .listGroups, .apiVersions,
            .deleteTopics, .describeConfigs, .offsetForLeaderEpoch:
            2
        case .deleteRecords, .initProducerID, .addPartitionsToTxn, .addOffsetsToTxn, .endTxn, .txnOffsetCommit,
            .describeAcls, .createAcls, .deleteAcls, .createPartitions, .deleteGroups:
            1
        // APIs introduced after KIP-219.
        case .incrementalAlterConfigs, .offsetDelete, .describeUserScramCredentials, .alterUserScramCredentials,
            .describeCluster, .consumerGroupHeartbeat, .consumerGroupDescribe:
            0
        }
    }
}

extension KafkaRequest {
    /// How long the client must pause the connection after this response; nil if the response doesn't throttle it.
    static func pause(after response: Response, version: Int16) -> Duration? {
        guard response.throttleTimeMs > 0, let first = apiKey.firstVersionThrottledByClient, version >= first
        else { return nil }
        return .milliseconds(Int(response.throttleTimeMs))
    }
}
