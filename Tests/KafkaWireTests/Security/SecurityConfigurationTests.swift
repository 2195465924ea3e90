import Testing

@testable import KafkaWire

@Suite("Security settings by their names in Kafka")
struct SecurityConfigurationTests {
    private func read(_ properties: [String: String]) throws -> SecurityConfiguration {
        try ClientConfiguration(bootstrapServers: "h:1", properties: properties).security
    }

    private func message(_ properties: [String: String]) -> String {
        let error = #expect(throws: KafkaError.self) { try read(properties) }
        #expect(error?.code == .invalidConfig)
        return error?.message ?? ""
    }

    private let login = ["sasl.mechanism": "PLAIN", "sasl.username": "alice", "sasl.password": "hunter2"]

    @Test("The default has no encryption and no login")
    func plain() throws {
        #expect(try read([:]).securityProtocol == "PLAINTEXT")
        #expect(try read(["security.protocol": "plaintext"]).securityProtocol == "PLAINTEXT")
    }

    @Test("A login without TLS can be written in two ways")
    func logins() throws {
        let sasl = try read(login.merging(["security.protocol": "SASL_PLAINTEXT"]) { $1 })
        #expect(sasl.securityProtocol == "SASL_PLAINTEXT")
        #expect(sasl.sasl?.username == "alice")
        let jaas = try read([
            "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-256",
            "sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required "
                + "username=\"alice\" password=\"hunter2\";",
        ])
        #expect(jaas.sasl?.mechanism == "SCRAM-SHA-256")
    }

    @Test("Settings without effect are an error")
    func withoutProtocol() throws {
        #expect(message(login).contains("SASL_PLAINTEXT may be meant"))
        #expect(message(["ssl.truststore.location": "f"]).contains("SSL may be meant"))
        #expect(message(login.merging(["ssl.truststore.location": "f"]) { $1 }).contains("SASL_SSL may be meant"))
        // An explicit PLAINTEXT is accepted, for example in a file whose protocol is changed temporarily.
        #expect(try read(login.merging(["security.protocol": "PLAINTEXT"]) { $1 }).sasl == nil)
    }

    @Test(
        "an invalid login is an error",
        arguments: [
            ([:], "needs sasl.mechanism, one of PLAIN"),
            (
                ["sasl.mechanism": "GSSAPI"],
                "sasl.mechanism is invalid; one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"
            ),
            (["sasl.mechanism": "PLAIN"], "PLAIN needs sasl.jaas.config, or sasl.username and sasl.password"),
            (["sasl.mechanism": "PLAIN", "sasl.username": "a"], "sasl.username is given without sasl.password"),
            (["sasl.mechanism": "PLAIN", "sasl.password": "hunter2"], "sasl.password is given without sasl.username"),
            (
                [
                    "sasl.mechanism": "PLAIN", "sasl.username": "a", "sasl.password": "hunter2",
                    "sasl.jaas.config": "x",
                ], "both given"
            ),
            (
                ["sasl.mechanism": "OAUTHBEARER", "sasl.username": "a", "sasl.password": "hunter2"],
                "uses no user name and password"
            ),
            (["sasl.mechanisms": "PLAIN"], "Kafka's name is sasl.mechanism"),
        ] as [([String: String], String)])
    func badLogin(properties: [String: String], reason: String) {
        let message = message(properties.merging(["security.protocol": "SASL_PLAINTEXT"]) { $1 })
        #expect(message.contains(reason))
        #expect(!message.contains("hunter2"))
    }

    @Test("OAUTHBEARER without a token fails only on connecting, so that a program can set one before")
    func oauthWithoutToken() async throws {
        let security = try read(["security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER"])
        guard case .oauthBearer(let source)? = security.sasl?.kind else {
            Issue.record("not OAUTHBEARER")
            return
        }
        let error = await #expect(throws: KafkaError.self) { _ = try await source.token(.now) }
        #expect(error?.message.contains("needs a token") == true)
    }

    @Test("TLS", .enabled(if: hasOpenSSL, "this build is without the trait TLS"))
    func tls() throws {
        let tls = try #require(
            try read([
                "security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.location": "ca.pem",
                "ssl.keystore.type": "PEM", "ssl.keystore.location": "client.pem", "ssl.key.password": "hunter2",
                "ssl.endpoint.identification.algorithm": "", "ssl.enabled.protocols": "TLSv1.2, TLSv1.3",
                "ssl.protocol": "TLSv1.2",
            ]).tls)
        guard case .file("ca.pem")? = tls.trustedCertificates, case .file("client.pem")? = tls.clientCertificate?.key,
            case .file("client.pem")? = tls.clientCertificate?.chain
        else {
            Issue.record("not the files given")
            return
        }
        #expect(!tls.verifiesHostName)
        #expect(tls.versions == .tls12 ... .tls12)
        #expect(tls.clientCertificate?.password?.value == "hunter2")
        let byDefault = try #require(try read(["security.protocol": "SSL"]).tls)
        #expect(byDefault.verifiesHostName)
        #expect(byDefault.versions == .tls12 ... .tls13)
    }

    @Test(
        "invalid TLS settings are an error",
        arguments: [
            (["ssl.truststore.type": "JKS", "ssl.truststore.location": "f"], "only PEM is supported"),
            (["ssl.keystore.certificate.chain": "c"], "ssl.keystore.key"),
            (["ssl.keystore.location": "f", "ssl.keystore.key": "hunter2"], "either ssl.keystore.location"),
            (["ssl.truststore.location": "f", "ssl.truststore.certificates": "c"], "both given"),
            (["ssl.endpoint.identification.algorithm": "ldap"], "https"),
            (["ssl.enabled.protocols": "TLSv1.1,TLSv1.2"], "TLSv1.2,TLSv1.3 is expected"),
            (["ssl.enabled.protocols": ""], "TLSv1.2,TLSv1.3 is expected"),
            (["ssl.enabled.protocols": "TLSv1.3", "ssl.protocol": "TLSv1.2"], "older than all"),
            (["ssl.ca.location": "f"], "Kafka's name is ssl.truststore.location"),
            (["ssl.keystore.password": "hunter2"], "ssl.key.password"),
        ] as [([String: String], String)])
    func badTLS(properties: [String: String], reason: String) {
        let message = message(properties.merging(["security.protocol": "SSL"]) { $1 })
        #expect(message.contains(reason))
        #expect(!message.contains("hunter2"))
    }

    @Test("PEM on a single line is split into lines for OpenSSL")
    func pemOnOneLine() {
        let body = String(repeating: "A", count: 100)
        let wrapped =
            "-----BEGIN CERTIFICATE-----\n" + body.prefix(64) + "\n" + body.dropFirst(64)
            + "\n-----END CERTIFICATE-----\n"
        for separator in [" ", "\n", ""] {
            let text = "-----BEGIN CERTIFICATE-----\(separator)\(body)\(separator)-----END CERTIFICATE-----"
            #expect(PEMText.normalized(text) == wrapped)
            #expect(PEMText.normalized(text + " " + text) == wrapped + " \n" + wrapped)
        }
        #expect(PEMText.normalized("nothing") == "nothing")
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"
        #expect(PEMText.normalized(old) == old + "\n" || PEMText.normalized(old) == old)
    }
}
