/// What a broker is asked where it hangs up without a word: a second connection tells a listener of another kind from
/// a broker that is going down, so that the one is an error at once and the other is tried again.
extension NegotiatedConnection {
    /// Why the broker hung up on the first request, where it is that its listener wants a login.
    ///
    /// It lets a client ask for its versions before, so the connection itself could be opened.
    func missingLogin() async -> KafkaError? {
        guard settings.security.sasl == nil, let version = try? version(for: SaslHandshakeRequest.self),
            let probe = try? Self.probe(address, settings, encryption: settings.security.tls)
        else { return nil }
        defer { probe.close() }
        let frame = try? await probe.send(timeout: settings.setupTimeout) { correlationID in
            try SaslHandshakeRequest(mechanism: "UNKNOWN")
                .frame(version: version, correlationID: correlationID, clientID: clientID)
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

    /// Why the broker hung up on the TLS handshake, where it is that its listener is a plain one.
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
