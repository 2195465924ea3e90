import KafkaWire

extension SupportedMessage {
    static let security = [pair(SaslHandshakeRequest.self), pair(SaslAuthenticateRequest.self)].flatMap { $0 }
}
