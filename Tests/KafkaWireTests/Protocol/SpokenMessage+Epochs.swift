import KafkaWire

extension SupportedMessage {
    static let epochs = pair(OffsetForLeaderEpochRequest.self)
}
