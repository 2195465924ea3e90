/// The state of a producer, for health probes.
public struct ProducerState: Sendable, Hashable {
    /// When a broker last acknowledged records; nil before the first time. With `acks=0`, when records were last written to
    /// a socket.
    public let lastAcknowledgement: ContinuousClock.Instant?
    /// The number of records that are buffered or in flight.
    public let waitingRecords: Int
    /// How long ago the batch of the oldest such record was begun; nil if no record waits.
    ///
    /// More than `linger.ms` and a few round trips means that a broker is slow, silent or missing. A record fails after
    /// `delivery.timeout.ms`.
    public let oldestWaitingAge: Duration?

    /// Creates a value, for example in a test.
    public init(
        lastAcknowledgement: ContinuousClock.Instant? = nil, waitingRecords: Int = 0, oldestWaitingAge: Duration? = nil
    ) {
        self.lastAcknowledgement = lastAcknowledgement
        self.waitingRecords = waitingRecords
        self.oldestWaitingAge = oldestWaitingAge
    }
}
