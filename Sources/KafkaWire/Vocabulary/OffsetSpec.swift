/// A place in a partition's log.
public enum OffsetSpec: Sendable, Hashable {
    /// The first offset that the log still has.
    case earliest
    /// The offset that the next record will have.
    case latest
    /// The first record with this timestamp or a later one, in milliseconds since 1970; where there is none, the end.
    case timestamp(Int64)
    /// This offset. Where the log doesn't have it, a consumer goes by `auto.offset.reset`.
    case offset(Int64)

    /// The number that stands for it in ListOffsets.
    var timestampOnWire: Int64? {
        switch self {
        case .earliest: -2
        case .latest: -1
        case .timestamp(let milliseconds): milliseconds
        case .offset: nil
        }
    }
}

/// An offset as a broker gave it.
public struct ListedOffset: Sendable, Hashable {
    /// What was asked for; where no record has the timestamp or a later one, the end of the log.
    public let offset: Int64
    /// The timestamp of the record at `offset`, in milliseconds since 1970; -1 where it wasn't asked for by time.
    public let timestamp: Int64
    /// -1 where the broker doesn't say (before Kafka 2.1).
    public let leaderEpoch: Int32
}
