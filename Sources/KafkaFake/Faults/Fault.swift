import KafkaWire

/// A fault that can be injected into a request.
public enum Fault: Sendable, Equatable {
    /// The request is refused with this code and not carried out.
    case error(ErrorCode)
    /// The request is carried out but answered with this code.
    case errorAfterwards(ErrorCode)
    /// The request is carried out at once, and the answer delayed by this duration.
    case late(Duration)
    /// The request is carried out at once, and the answer held until `FakeCluster.releaseAnswers()` is called.
    case held
    /// The answer is sent in pieces of this many bytes, each in its own packet.
    case inPieces(Int)
    /// The answer has the correlation id of another request.
    case wrongCorrelationID
    /// The answer is preceded by this length instead of its own.
    case length(Int32)
    /// These bytes are sent instead of an answer, including the length.
    case garbage([UInt8])
    /// The answer has the right length and correlation id, but an invalid body.
    case unreadable
    /// This and all later requests of the connection are carried out but not answered. The connection stays open.
    case silence
    case hangUp(HangUp)

    /// When the broker closes the connection.
    public enum HangUp: Sendable, Equatable {
        /// Before the request is carried out.
        case beforehand
        /// After the request is carried out, and before the answer is sent.
        case beforeAnswer
        /// After half of the answer.
        case withinAnswer
        /// After the whole answer.
        case afterAnswer
    }
}

/// The faults that have not taken effect yet.
struct FaultList {
    struct Entry {
        let fault: Fault
        let api: APIKey
        /// The broker to inject it into; nil for any.
        let node: Int32?
        /// The partition to refuse; nil for all partitions of the request. Only errors can be limited to one partition.
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

    /// Takes the next fault of a whole request.
    mutating func take(_ api: APIKey, node: Int32) -> Fault? {
        take { $0.api == api && $0.node ?? node == node && $0.partition == nil }
    }

    /// Takes the next error of one partition.
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
