import KafkaWire

extension SaslHandshakeRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(mechanism: random.value(version))
    }
}

extension SaslHandshakeResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(errorCode: random.value(version), mechanisms: random.value(version))
    }
}

extension SaslAuthenticateRequest: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(authBytes: random.value(version))
    }
}

extension SaslAuthenticateResponse: RandomValue {
    init(_ random: inout RandomValues, version: Int16) {
        self.init(
            errorCode: random.value(version),
            errorMessage: random.value(version),
            authBytes: random.value(version),
            sessionLifetimeMs: version >= 1 ? random.value(version) : 0)
    }
}
