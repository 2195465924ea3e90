import KafkaWire

extension SpokenMessage {
    static let epochs = pair(OffsetForLeaderEpochRequest.self)
}
