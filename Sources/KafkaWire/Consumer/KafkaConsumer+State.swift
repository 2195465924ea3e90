/// The state of a consumer, for health probes.
@nonexhaustive
public enum ConsumerState: Sendable, Hashable {
    /// It is not subscribed and has no partitions.
    case unassigned
    /// It reads partitions that were assigned by hand.
    case assigned
    /// It is subscribed, but not a member of its group yet, or not any more: it is joining.
    case joining
    /// It is a member of its group. The group may have assigned it no partition.
    case member
    /// An error has ended the reading of all partitions and the subscription. Each call of `next()` throws it.
    case failed(KafkaError)
    /// It was closed.
    case closed
}

extension KafkaConsumer {
    /// The current state. Permanent errors of single partitions are in `failedPartitions` instead.
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
    /// While partitions are read, a healthy broker answers at least every `fetch.max.wait.ms`. The next fetch is sent only
    /// when the application has taken the last response.
    public var lastResponse: ContinuousClock.Instant? { buffer.lastResponse }
}
