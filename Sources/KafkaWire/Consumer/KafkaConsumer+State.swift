/// What a consumer is doing, for a health probe.
@nonexhaustive
public enum ConsumerState: Sendable, Hashable {
    /// It has no partitions, and isn't subscribed.
    case unassigned
    /// It reads partitions that were assigned by hand.
    case assigned
    /// It has subscribed, and isn't a member of its group: it joins, or has to join again.
    case joining
    /// It is a member of its group, which may have given it no partition.
    case member
    /// An error has ended the reading of all partitions: each step of the sequence throws it. A subscription is over.
    case failed(KafkaError)
    /// It was closed.
    case closed
}

extension KafkaConsumer {
    /// What the consumer is doing now. A permanent error of single partitions doesn't show here: see `failedPartitions`.
    public var state: ConsumerState {
        if buffer.isFinished { return .closed }
        if let error = settingsError ?? buffer.failure { return .failed(error) }
        let (isSubscribed, generation) = groupPart.withLock {
            ($0.membership != nil, $0.identity?.metadata.generationID ?? -1)
        }
        if isSubscribed { return generation >= 0 ? .member : .joining }
        return assignment.isEmpty ? .unassigned : .assigned
    }

    /// When a broker last answered a fetch of this consumer, with records or without; nil before the first response.
    ///
    /// While partitions are read, a broker that is well answers at least every `fetch.max.wait.ms`. The next fetch is sent
    /// only when the application takes what the last one brought.
    public var lastResponse: ContinuousClock.Instant? { buffer.lastResponse }
}
