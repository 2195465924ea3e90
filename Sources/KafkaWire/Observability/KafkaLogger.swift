/// The importance of a log line.
///
/// Closed: these are the levels of swift-log, and a bridge to it must map each of them.
public enum KafkaLogLevel: String, Sendable, CaseIterable, Comparable {
    /// Each request and response.
    case trace
    /// Connections, retries, metadata: what helps to find a problem.
    case debug
    /// Rare and expected, such as a group's rebalances.
    case info
    /// Rare and worth attention, such as a broker that throttles the client.
    case notice
    /// A failure that the client retries.
    case warning
    /// A permanent failure.
    case error
    /// The client cannot continue.
    case critical

    /// Orders levels by importance, from `trace` to `critical`.
    public static func < (left: KafkaLogLevel, right: KafkaLogLevel) -> Bool {
        left.order < right.order
    }

    private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Receives a client's log.
///
/// The levels and the signature are those of swift-log, so a bridge to its `Logger` takes a few lines; see
/// <doc:Observability>. The client logs at most one line for each request, and none for a record. No line contains a
/// password, a token, a key or a value.
public protocol KafkaLogger: Sendable {
    /// The lowest level to log. The client reads it before each line, and computes nothing for lines below it.
    var logLevel: KafkaLogLevel { get }

    /// Logs one line. Called on any thread, including those that serve connections, so it must not block.
    ///
    /// - Parameters:
    ///   - level: The importance of the line; `logLevel` or above.
    ///   - message: Computes the message.
    ///   - metadata: Computes the details by name: `broker`, `api`, `topic`, `partition`, `group`, `error` and so on.
    ///   - source: The source for swift-log; always `KafkaWire`.
    func log(
        level: KafkaLogLevel, message: () -> String, metadata: () -> [String: String], source: String)
}
