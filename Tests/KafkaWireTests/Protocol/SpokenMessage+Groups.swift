import KafkaWire

extension SupportedMessage {
    static let groups: [SupportedMessage] = [
        pair(JoinGroupRequest.self), pair(SyncGroupRequest.self), pair(HeartbeatRequest.self),
        pair(LeaveGroupRequest.self), pair(ConsumerGroupHeartbeatRequest.self),
    ].flatMap { $0 }
}
