/// How much a line of the log matters: the levels of swift-log.
public enum KafkaLogLevel: String, Sendable, CaseIterable, Comparable {
    /// Each request and answer.
    case trace
    /// Connections, retries, metadata: what one wants to see when something doesn't work.
    case debug
    /// Rare and expected, such as a group's rebalances.
    case info
    /// Rare and worth a look, such as a broker that slows the client down.
    case notice
    /// Something went wrong and is tried again.
    case warning
    /// Something went wrong for good.
    case error
    /// The client can't go on.
    case critical

    /// `trace` is the least, `critical` the greatest.
    public static func < (left: KafkaLogLevel, right: KafkaLogLevel) -> Bool {
        left.order < right.order
    }

    private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Where a client's log goes.
///
/// The levels and the shape are swift-log's, so that a `Logger` of its takes a few lines to join; see
/// <doc:Observability>. The client logs for each request at most, never for each record, and no line holds a
/// password, a token, a key or a value.
public protocol KafkaLogger: Sendable {
    /// The least level that is wanted. It is asked before each line; text and metadata of others aren't even made.
    var logLevel: KafkaLogLevel { get }

    /// Takes one line. It is called on any thread, also on those that move a connection's bytes, and mustn't block.
    ///
    /// - Parameters:
    ///   - level: How much the line matters; `logLevel` or above.
    ///   - message: Makes the sentence.
    ///   - metadata: Makes what it is about, by name: `broker`, `api`, `topic`, `partition`, `group`, `error` and so on.
    ///   - source: What of the library speaks, for swift-log's `source`: always `KafkaWire`.
    func log(
        level: KafkaLogLevel, message: () -> String, metadata: () -> [String: String], source: String)
}
