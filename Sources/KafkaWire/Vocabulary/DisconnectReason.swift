/// Why a connection to a broker ended.
@nonexhaustive
public enum DisconnectReason: Sendable, Hashable, CustomStringConvertible {
    /// The client was closed, or does not need the connection any more.
    case closed
    /// The connection was not used for `connections.max.idle.ms`.
    case idle
    /// The broker closed the connection, the connection broke, or a response was overdue.
    case failed(KafkaError)

    /// The reason in words.
    public var description: String {
        switch self {
        case .closed: "closed by this client"
        case .idle: "not used for connections.max.idle.ms"
        case .failed(let error): error.description
        }
    }
}
