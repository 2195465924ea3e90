/// What a client tells of its connections while it goes on by itself.
public enum ClientEvent: Sendable, CustomStringConvertible {
    /// A broker can't be reached (any more); it is tried again, with growing pauses.
    case brokerLost(BrokerAddress, reason: String)
    /// A broker that was lost answers again.
    case brokerBack(BrokerAddress)

    public var description: String {
        switch self {
        case .brokerLost(let address, let reason): "waiting for broker \(address): \(reason)"
        case .brokerBack(let address): "broker \(address) is back"
        }
    }
}
