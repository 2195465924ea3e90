extension Cluster {
    /// Does something until it succeeds, fails for good, or has been tried for too long.
    ///
    /// This is the one place that decides which calls are tried again: what an application asks for and waits for. What
    /// goes on beside calls (sending records, transactions, fetching, being a member) has more to decide, and does so
    /// itself. Between attempts it waits, longer each time, and asks for fresh metadata where the error says that what
    /// is known is out of date.
    ///
    /// - Parameters:
    ///   - topics: The topics whose leaders matter to it.
    ///   - final: Errors that aren't to be tried again though they may pass, such as UNKNOWN_TOPIC_OR_PARTITION for one
    ///     who asks whether a topic exists.
    ///   - limit: How long to go on; `default.api.timeout.ms` where nil.
    /// - Throws: The last error; `CancellationError`.
    package nonisolated func retrying<Result: Sendable>(
        topics: [String] = [], final: Set<ErrorCode> = [], limit: Duration? = nil, _ attempt: () async throws -> Result
    ) async throws -> Result {
        let deadline = timing.now() + (limit ?? configuration.defaultAPITimeout)
        let backoff = configuration.backoff
        var failures = 0
        while true {
            do {
                return try await attempt()
            } catch let error as KafkaError where error.isRetriable && !final.contains(error.code) {
                failures += 1
                let delay = backoff.delay(afterFailures: failures, random: timing.random())
                guard timing.now() + delay < deadline else { throw error }
                observer?.retries(error, failures: failures, after: delay)
                try await timing.sleep(delay)
                if error.meansStaleMetadata { _ = try? await refresh(topics: topics) }
            }
        }
    }

    /// A connection to the broker that decides about topics.
    ///
    /// From Kafka 4.0 on any broker passes such a request on; before, only the controller takes it.
    package func controllerConnection() async throws -> NegotiatedConnection {
        if controllerID == nil { try await refresh(topics: []) }
        guard let controller = controllerID else { return try await anyConnection() }
        return try await connection(to: controller, role: .general)
    }
}

extension KafkaError {
    /// Whether the cluster may look different from what is known of it.
    var meansStaleMetadata: Bool {
        switch code {
        case .notLeaderOrFollower, .unknownTopicOrPartition, .unknownTopicId, .inconsistentTopicId,
            .leaderNotAvailable, .fencedLeaderEpoch, .unknownLeaderEpoch, .replicaNotAvailable, .kafkaStorageError,
            .networkException, .brokerNotAvailable, .requestTimedOut, .notController, .offsetNotAvailable:
            true
        default: false
        }
    }
}
