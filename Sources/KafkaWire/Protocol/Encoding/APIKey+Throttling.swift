extension APIKey {
    /// The first version of the API whose answers come before the broker's pause rather than after it, so that it is
    /// the client that has to wait (KIP-219). Nil where answers don't tell of a pause at all.
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
        // Those that are younger than KIP-219.
        case .incrementalAlterConfigs, .offsetDelete, .describeUserScramCredentials, .alterUserScramCredentials,
            .describeCluster, .consumerGroupHeartbeat, .consumerGroupDescribe:
            0
        }
    }
}

extension KafkaRequest {
    /// How long nothing should be sent after this response; nil if the broker doesn't ask for a pause.
    static func pause(after response: Response, version: Int16) -> Duration? {
        guard response.throttleTimeMs > 0, let first = apiKey.firstVersionThrottledByClient, version >= first
        else { return nil }
        return .milliseconds(Int(response.throttleTimeMs))
    }
}
