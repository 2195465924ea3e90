import KafkaWire

extension SpokenMessage {
    static let groups: [SpokenMessage] = [
        pair(JoinGroupRequest.self), pair(SyncGroupRequest.self), pair(HeartbeatRequest.self),
        pair(LeaveGroupRequest.self), pair(ConsumerGroupHeartbeatRequest.self),
    ].flatMap { $0 }
}
