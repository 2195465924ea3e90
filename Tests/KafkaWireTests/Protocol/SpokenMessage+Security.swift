import KafkaWire

extension SpokenMessage {
    static let security = [pair(SaslHandshakeRequest.self), pair(SaslAuthenticateRequest.self)].flatMap { $0 }
}
