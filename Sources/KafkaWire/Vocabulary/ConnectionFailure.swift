/// How a connection to a broker failed, for an application that reacts differently to each case.
@nonexhaustive
public enum ConnectionFailure: String, Sendable, Hashable {
    /// The host name could not be resolved.
    case unresolved
    /// The host refused the connection: nothing listens at the port.
    case refused
    /// The system could not reach the host for another reason, such as a missing route.
    case unreachable
    /// Nothing arrived in time, neither a connection nor a refusal nor a response.
    case silent
    /// The other side accepted the connection and closed it.
    case closed
    /// The other side sent bytes that are not Kafka's protocol.
    case foreignProtocol
}

extension KafkaError {
    /// The same error with the way in which the connection failed.
    func because(_ failure: ConnectionFailure?) -> KafkaError {
        var error = self
        error.connectionFailure = failure
        return error
    }
}
