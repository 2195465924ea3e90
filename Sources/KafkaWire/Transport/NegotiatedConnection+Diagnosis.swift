/// Finds out why a broker closes the connection without a response: a second connection distinguishes a listener of another
/// kind, which is an error at once, from a broker that shuts down, for which the caller retries.
extension NegotiatedConnection {
    /// The error if the broker closed the connection upon the first request because its listener requires a login.
    ///
    /// A client may ask for the API versions before the login, so the connection could be opened.
    func missingLogin() async -> KafkaError? {
        guard settings.security.sasl == nil, let version = try? version(for: SaslHandshakeRequest.self),
            let probe = try? Self.probe(address, settings, encryption: settings.security.tls)
        else { return nil }
        defer { probe.close() }
        let frame = try? await probe.send(timeout: settings.setupTimeout) { correlationID in
            try SaslHandshakeRequest(mechanism: "UNKNOWN")
                .requestFrame(version: version, correlationID: correlationID, clientID: clientID)
        }
        guard let frame, let response = try? SaslHandshakeRequest.decodeResponse(frame, version: version),
            response.errorCode == ErrorCode.unsupportedSaslMechanism.rawValue
        else { return nil }
        let expected = SecurityConfiguration.securityProtocol(tls: settings.security.tls != nil, sasl: true)
        return KafkaError(
            .illegalSaslState,
            "\(address) wants a login: set security.protocol=\(expected) and sasl.mechanism, one of "
                + response.mechanisms.sorted().joined(separator: ", "))
    }

    /// The error if the broker closed the connection during the TLS handshake because its listener has no TLS.
    static func plainListener(_ address: BrokerAddress, _ settings: ConnectionSettings) async -> KafkaError? {
        guard let probe = try? probe(address, settings, encryption: nil) else { return nil }
        defer { probe.close() }
        var quick = settings
        quick.requestTimeout = settings.setupTimeout
        guard (try? await apiVersions(probe, address, 0, quick)) != nil else { return nil }
        return KafkaError(
            .networkException,
            "\(address) speaks Kafka in plain, not in TLS: its listener is for security.protocol=PLAINTEXT or "
                + "SASL_PLAINTEXT",
            isRetriable: false)
    }

    private static func probe(
        _ address: BrokerAddress, _ settings: ConnectionSettings, encryption: TLSConfiguration?
    ) throws(KafkaError) -> BrokerConnection {
        try BrokerConnection(
            host: address.host, port: address.port, connectTimeout: settings.setupTimeout,
            maximumFrame: 1 << 20, encryption: encryption, pool: BufferPool(limit: 0))
    }
}
