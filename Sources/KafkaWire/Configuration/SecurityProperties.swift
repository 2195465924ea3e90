/// Reads `security.protocol` and the settings of a login by their names in Kafka.
enum SecurityProperties {
    private static let mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]

    static func take(
        _ security: inout SecurityConfiguration, from list: inout PropertyList
    ) throws(KafkaError) {
        var chosen: (tls: Bool, sasl: Bool)?
        try list.set(
            &chosen, "security.protocol",
            from: [
                "PLAINTEXT": (false, false), "SSL": (true, false), "SASL_PLAINTEXT": (false, true),
                "SASL_SSL": (true, true),
            ])
        var encryption = TLSConfiguration()
        let hasEncryption = try TLSProperties.take(&encryption, from: &list)
        let login = try Login(from: &list)
        guard let chosen else {
            // Without this error, a user who forgets the protocol would send everything unencrypted.
            guard !hasEncryption, !login.isGiven else {
                throw KafkaError(
                    .invalidConfig,
                    "\(hasEncryption ? "ssl" : "sasl") settings are given, but not security.protocol, without which they "
                        + "have no effect; "
                        + "\(SecurityConfiguration.securityProtocol(tls: hasEncryption, sasl: login.isGiven)) may be meant"
                )
            }
            return
        }
        #if !TLS
            if chosen.tls {
                throw KafkaError(
                    .invalidConfig, "this build does not include OpenSSL, which TLS needs: build with the trait TLS")
            }
        #endif
        security.tls = chosen.tls ? encryption : nil
        security.sasl = chosen.sasl ? try login.credentials() : nil
    }

    /// The settings of a login. Whether to log in is decided by `security.protocol`.
    private struct Login {
        private let mechanism: String?
        private let jaas: String?
        private let username: String?
        private let password: String?

        init(from list: inout PropertyList) throws(KafkaError) {
            mechanism = try list.text("sasl.mechanism")
            jaas = try list.text("sasl.jaas.config")
            // librdkafka's names: what people type.
            username = try list.text("sasl.username")
            password = try list.text("sasl.password")
        }

        var isGiven: Bool { mechanism != nil || jaas != nil || username != nil || password != nil }

        func credentials() throws(KafkaError) -> SASLCredentials {
            let expected = mechanisms.joined(separator: ", ")
            guard let mechanism else {
                throw KafkaError(.invalidConfig, "a login needs sasl.mechanism, one of \(expected)")
            }
            guard mechanisms.contains(mechanism) else {
                throw KafkaError(
                    .invalidConfig,
                    PropertyList.isInvalid("sasl.mechanism", "one of \(expected)")
                )
            }
            switch (jaas, username, password) {
            case (let jaas?, nil, nil):
                return try SASLCredentials(jaas: jaas, mechanism: mechanism)
            case (nil, let username?, let password?):
                return try SASLCredentials(mechanism: mechanism, username: username, password: Secret(password))
            case (nil, nil, nil) where mechanism == "OAUTHBEARER":
                // The program can still put its own credentials in this place.
                return .oauthBearer { () throws(KafkaError) in
                    throw KafkaError(
                        .invalidConfig,
                        "sasl.mechanism=OAUTHBEARER needs a token: set `security.sasl = .oauthBearer { … }` in the code"
                    )
                }
            case (nil, nil, nil):
                throw KafkaError(
                    .invalidConfig, "\(mechanism) needs sasl.jaas.config, or sasl.username and sasl.password")
            case (nil, _, _):
                throw KafkaError(
                    .invalidConfig,
                    "sasl.\(username == nil ? "password" : "username") is given without "
                        + "sasl.\(username == nil ? "username" : "password")")
            default:
                throw KafkaError(
                    .invalidConfig, "sasl.jaas.config and sasl.username or sasl.password are both given; one is enough")
            }
        }
    }
}
