import KafkaWire

/// What can be made to go wrong with a request.
public enum Fault: Sendable, Equatable {
    /// The request is refused with this code, and nothing of it is done.
    case error(ErrorCode)
    /// The request is carried out, and answered with this code all the same.
    case errorAfterwards(ErrorCode)
    /// The answer comes so much later; what is asked for is done at once.
    case late(Duration)
    /// The answer comes once `FakeCluster.releaseAnswers()` is called; the broker carries out the request at once.
    case held
    /// The answer comes in pieces of so many bytes, each in a packet of its own.
    case inPieces(Int)
    /// The answer bears the correlation id of another request.
    case wrongCorrelationID
    /// This length stands in front of the answer instead of its own.
    case length(Int32)
    /// These bytes come instead of an answer, length and all.
    case garbage([UInt8])
    /// The answer has its right length and correlation id, and then bytes that mean nothing.
    case unreadable
    /// No answer ever comes to this request or a later one of the connection, which stays open; they are carried out.
    case silence
    case hangUp(HangUp)

    /// When the broker ends the connection.
    public enum HangUp: Sendable, Equatable {
        /// Before anything is done.
        case beforehand
        /// The request is carried out, and its answer lost.
        case beforeAnswer
        /// Half of the answer comes.
        case withinAnswer
        /// The answer comes whole.
        case afterAnswer
    }
}

/// The faults that are to come.
struct FaultList {
    struct Entry {
        let fault: Fault
        let api: APIKey
        /// On which broker; nil for any.
        let node: Int32?
        /// For which partition; nil for all of the request's. Only errors can be one partition's.
        let partition: TopicPartition?
        var remaining: Int
    }

    private var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ entry: Entry) {
        if entry.remaining > 0 { entries.append(entry) }
    }

    mutating func removeAll() {
        entries = []
    }

    /// The next fault of a request as a whole.
    mutating func take(_ api: APIKey, node: Int32) -> Fault? {
        take { $0.api == api && $0.node ?? node == node && $0.partition == nil }
    }

    /// The next error of one partition.
    mutating func take(_ api: APIKey, node: Int32, _ partition: TopicPartition) -> Fault? {
        if entries.isEmpty { return nil }
        return take { $0.api == api && $0.node ?? node == node && $0.partition == partition }
    }

    private mutating func take(where matches: (Entry) -> Bool) -> Fault? {
        guard let index = entries.firstIndex(where: matches) else { return nil }
        entries[index].remaining -= 1
        let fault = entries[index].fault
        if entries[index].remaining == 0 { entries.remove(at: index) }
        return fault
    }
}
