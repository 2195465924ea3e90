import KafkaWire

extension APIHandler {
    /// PLAIN logins, which accept any name and password. `SpokenVersions.latest` does not include them; use
    /// `withLogins`.
    static let logins: [APIKey: APIHandler] = [
        .saslHandshake: APIHandler(SaslHandshakeRequest.self) { $0.saslHandshake($1) },
        .saslAuthenticate: APIHandler(SaslAuthenticateRequest.self) { $0.saslAuthenticate($1) },
    ]
}

extension SpokenVersions {
    /// Returns a copy with logins.
    package var withLogins: SpokenVersions {
        APIHandler.logins.reduce(self) { $0.with($1.key, $1.value.versions) }
    }
}

extension APICall {
    func saslHandshake(_ request: SaslHandshakeRequest) -> Reply<SaslHandshakeResponse> {
        let error: ErrorCode = request.mechanism == "PLAIN" ? .none : .unsupportedSaslMechanism
        return .response(SaslHandshakeResponse(errorCode: error.rawValue, mechanisms: ["PLAIN"]))
    }

    func saslAuthenticate(_: SaslAuthenticateRequest) -> Reply<SaslAuthenticateResponse> {
        let lifetime = state.withLock { $0.sessionLifetime }
        return .response(
            SaslAuthenticateResponse(
                errorCode: (refusal?.code ?? .none).rawValue, sessionLifetimeMs: Int64(lifetime / .milliseconds(1))))
    }
}
