/// How connections are encrypted, and whom they trust. The minimum is TLS 1.2.
public struct TLSConfiguration: Sendable {
    /// Certificates or a key in PEM form (RFC 7468).
    public enum PEM: Sendable {
        /// The path of a file, which is read at each connection: certificates that are renewed on disk are used.
        case file(String)
        /// The text itself, with its lines `-----BEGIN …-----`.
        case text(Secret)
    }

    /// What the client shows a broker that asks who it is (`ssl.client.auth` at the broker).
    public struct ClientCertificate: Sendable {
        /// The client's certificate first, then those between it and the CA.
        public var chain: PEM
        /// The private key of the client's certificate, in the clear or encrypted.
        public var key: PEM
        /// `ssl.key.password`: what an encrypted key is encrypted with.
        public var password: Secret?

        /// - Parameters:
        ///   - chain: The client's certificate first, then those between it and the CA.
        ///   - key: The private key of the client's certificate, in the clear or encrypted.
        ///   - password: Nil for a key in the clear.
        public init(chain: PEM, key: PEM, password: Secret? = nil) {
            self.chain = chain
            self.key = key
            self.password = password
        }
    }

    /// A version of TLS, by Kafka's names `TLSv1.2` and `TLSv1.3`.
    public enum Version: Int, Comparable, Sendable {
        /// `tls12` is RFC 5246, `tls13` is RFC 8446.
        case tls12, tls13

        public static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }
    }

    /// `ssl.truststore.location`, `ssl.truststore.certificates`: whose signature on a broker's certificate is believed;
    /// nil for those that the system trusts.
    public var trustedCertificates: PEM?
    /// `ssl.keystore.location`, or `ssl.keystore.certificate.chain` and `ssl.keystore.key`: what the client shows a
    /// broker that asks; nil for nothing.
    public var clientCertificate: ClientCertificate?
    /// `ssl.endpoint.identification.algorithm`: whether a broker's certificate has to be for the name, or IP address, by
    /// which the client reaches it. Without it anybody with a certificate of a trusted CA can pose as the broker.
    public var verifiesHostName = true
    /// `ssl.enabled.protocols`, `ssl.protocol`: the oldest and the newest version that the client speaks.
    public var versions: ClosedRange<Version> = .tls12 ... .tls13

    /// Files aren't read before the first connection, and then for each: INVALID_CONFIG where they can't be.
    public init(trustedCertificates: PEM? = nil, clientCertificate: ClientCertificate? = nil) {
        self.trustedCertificates = trustedCertificates
        self.clientCertificate = clientCertificate
    }
}

// MARK: - Kafka's names

extension TLSConfiguration {
    /// - Returns: Whether any of the settings was there.
    mutating func take(from list: inout PropertyList) throws(KafkaError) -> Bool {
        let truststore = try Self.store(from: &list, "ssl.truststore.type", "ssl.truststore.location")
        let certificates = try list.text("ssl.truststore.certificates")
        guard truststore == nil || certificates == nil else {
            throw KafkaError(
                .invalidConfig, "ssl.truststore.location and ssl.truststore.certificates are both given; one is enough")
        }
        trustedCertificates = truststore.map(PEM.file) ?? certificates.map { .text(Secret($0)) }

        let keystore = try Self.store(from: &list, "ssl.keystore.type", "ssl.keystore.location")
        let chain = try list.text("ssl.keystore.certificate.chain")
        let key = try list.text("ssl.keystore.key")
        let password = try list.text("ssl.key.password").map { Secret($0) }
        switch (keystore, chain, key) {
        case (nil, nil, nil): break
        case (let file?, nil, nil):
            clientCertificate = ClientCertificate(chain: .file(file), key: .file(file), password: password)
        case (nil, let chain?, let key?):
            clientCertificate = ClientCertificate(
                chain: .text(Secret(chain)), key: .text(Secret(key)), password: password)
        default:
            throw KafkaError(
                .invalidConfig,
                "a client certificate is either ssl.keystore.location (a PEM file with key and certificates) or both of "
                    + "ssl.keystore.certificate.chain and ssl.keystore.key")
        }
        let versionsGiven = try takeVersions(from: &list)
        // An empty value is Kafka's way to switch the verification off.
        var identification = verifiesHostName ? "https" : ""
        try list.set(
            &identification, "ssl.endpoint.identification.algorithm", from: ["https": "https", "": ""])
        verifiesHostName = identification == "https"
        return trustedCertificates != nil || clientCertificate != nil || password != nil || versionsGiven
            || !verifiesHostName
    }

    private mutating func takeVersions(from list: inout PropertyList) throws(KafkaError) -> Bool {
        let names: [String: Version] = ["TLSv1.2": .tls12, "TLSv1.3": .tls13]
        let enabled = try list.text("ssl.enabled.protocols")
        if let enabled {
            let versions = enabled.split(separator: ",").map { names[$0.filter { !$0.isWhitespace }] }
            let known = versions.compactMap(\.self)
            guard let lowest = known.min(), let highest = known.max(), known.count == versions.count else {
                throw KafkaError(
                    .invalidConfig,
                    PropertyList.isInvalid("ssl.enabled.protocols", "TLSv1.2,TLSv1.3"))
            }
            self.versions = lowest...highest
        }
        var highest: Version?
        try list.set(&highest, "ssl.protocol", from: ["TLSv1.3": .tls13, "TLSv1.2": .tls12, "TLS": nil])
        if let highest {
            guard highest >= versions.lowerBound else {
                throw KafkaError(.invalidConfig, "ssl.protocol is older than all of ssl.enabled.protocols")
            }
            versions = versions.lowerBound...min(versions.upperBound, highest)
        }
        return enabled != nil || highest != nil
    }

    /// The file of a key store or trust store, which has to be PEM (KIP-651).
    private static func store(
        from list: inout PropertyList, _ typeName: String, _ locationName: String
    ) throws(KafkaError) -> String? {
        let type = try list.text(typeName)
        let location = try list.text(locationName)
        guard let type, type.uppercased() != "PEM" else { return location }
        throw KafkaError(
            .invalidConfig,
            "the value of \(typeName) is invalid; only PEM is supported. Convert a Java store to PEM with `keytool -importkeystore "
                + "-srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12` and `openssl pkcs12 -in FILE.p12 "
                + "-out FILE.pem`")
    }
}
