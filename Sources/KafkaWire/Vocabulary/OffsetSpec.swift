/// A place in a partition's log.
@nonexhaustive
public enum OffsetSpec: Sendable, Hashable {
    /// The first offset that the log still has.
    case earliest
    /// The offset that the next record will get.
    case latest
    /// The first record with this timestamp or a later one; the end of the log if there is no such record.
    case timestamp(KafkaTimestamp)
    /// This offset. If the log does not have it, a consumer applies `auto.offset.reset`.
    case offset(Int64)

    /// The number that stands for it in ListOffsets.
    var timestampOnWire: Int64? {
        switch self {
        case .earliest: -2
        case .latest: -1
        case .timestamp(let timestamp): timestamp.millisecondsSince1970
        case .offset: nil
        }
    }
}

/// An offset that a broker returned for an ``OffsetSpec``.
public struct ListedOffset: Sendable, Hashable {
    /// The offset; the end of the log if no record has the requested timestamp or a later one.
    public let offset: Int64
    /// The timestamp of the record at `offset`; unknown unless the request was by timestamp.
    public let timestamp: KafkaTimestamp
    /// The leader epoch of the record at `offset`; -1 if the broker does not report it (before Kafka 2.1).
    public let leaderEpoch: Int32

    /// Creates a value, for example in a test.
    public init(offset: Int64, timestamp: KafkaTimestamp = .unknown, leaderEpoch: Int32 = -1) {
        self.offset = offset
        self.timestamp = timestamp
        self.leaderEpoch = leaderEpoch
    }
}
