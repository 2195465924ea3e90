/// Reads the settings that begin with `ssl.` by their names in Kafka.
enum TLSProperties {
    /// - Returns: Whether any of the settings was there.
    static func take(_ tls: inout TLSConfiguration, from list: inout PropertyList) throws(KafkaError) -> Bool {
        let truststore = try Self.store(from: &list, "ssl.truststore.type", "ssl.truststore.location")
        let certificates = try list.text("ssl.truststore.certificates")
        guard truststore == nil || certificates == nil else {
            throw KafkaError(
                .invalidConfig, "ssl.truststore.location and ssl.truststore.certificates are both given; one is enough")
        }
        tls.trustedCertificates = truststore.map(TLSConfiguration.PEM.file) ?? certificates.map { .text(Secret($0)) }

        let keystore = try Self.store(from: &list, "ssl.keystore.type", "ssl.keystore.location")
        let chain = try list.text("ssl.keystore.certificate.chain")
        let key = try list.text("ssl.keystore.key")
        let password = try list.text("ssl.key.password").map { Secret($0) }
        switch (keystore, chain, key) {
        case (nil, nil, nil): break
        case (let file?, nil, nil):
            tls.clientCertificate = TLSConfiguration.ClientCertificate(
                chain: .file(file), key: .file(file), password: password)
        case (nil, let chain?, let key?):
            tls.clientCertificate = TLSConfiguration.ClientCertificate(
                chain: .text(Secret(chain)), key: .text(Secret(key)), password: password)
        default:
            throw KafkaError(
                .invalidConfig,
                "a client certificate is either ssl.keystore.location (a PEM file with key and certificates) or both of "
                    + "ssl.keystore.certificate.chain and ssl.keystore.key")
        }
        let versionsGiven = try takeVersions(&tls, from: &list)
        // An empty value is Kafka's way to switch the verification off.
        var identification = tls.verifiesHostName ? "https" : ""
        try list.set(
            &identification, "ssl.endpoint.identification.algorithm", from: ["https": "https", "": ""])
        tls.verifiesHostName = identification == "https"
        return tls.trustedCertificates != nil || tls.clientCertificate != nil || password != nil || versionsGiven
            || !tls.verifiesHostName
    }

    private static func takeVersions(
        _ tls: inout TLSConfiguration, from list: inout PropertyList
    ) throws(KafkaError) -> Bool {
        let names: [String: TLSConfiguration.Version] = ["TLSv1.2": .tls12, "TLSv1.3": .tls13]
        let enabled = try list.text("ssl.enabled.protocols")
        if let enabled {
            let versions = enabled.split(separator: ",").map { names[$0.filter { !$0.isWhitespace }] }
            let known = versions.compactMap(\.self)
            guard let lowest = known.min(), let highest = known.max(), known.count == versions.count else {
                throw KafkaError(
                    .invalidConfig,
                    PropertyList.isInvalid("ssl.enabled.protocols", "TLSv1.2,TLSv1.3"))
            }
            tls.versions = lowest...highest
        }
        var highest: TLSConfiguration.Version?
        try list.set(&highest, "ssl.protocol", from: ["TLSv1.3": .tls13, "TLSv1.2": .tls12, "TLS": nil])
        if let highest {
            guard highest >= tls.versions.lowerBound else {
                throw KafkaError(.invalidConfig, "ssl.protocol is older than all of ssl.enabled.protocols")
            }
            tls.versions = tls.versions.lowerBound...min(tls.versions.upperBound, highest)
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
