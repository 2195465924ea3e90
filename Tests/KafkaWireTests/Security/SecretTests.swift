import Testing

@testable import KafkaWire

@Suite("Secrets")
struct SecretTests {
    private func shown(_ value: Any) -> String {
        var text = "\(value)" + String(reflecting: value)
        dump(value, to: &text)
        return text
    }

    @Test("No value that contains a secret shows it")
    func hidden() throws {
        var configuration = try ClientConfiguration(
            bootstrapServers: "h:1",
            properties: [
                "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "alice",
                "sasl.password": "hunter2", "ssl.key.password": "hunter2", "ssl.keystore.key": "hunter2",
                "ssl.keystore.certificate.chain": "c",
            ].filter { hasOpenSSL || !$0.key.hasPrefix("ssl") }.merging(
                hasOpenSSL ? [:] : ["security.protocol": "SASL_PLAINTEXT"]
            ) { $1 })
        #expect(!shown(configuration).contains("hunter2"))
        #expect(shown(configuration).contains("alice"))
        configuration.security.sasl = .scramSHA512(username: "alice", password: "hunter2")
        #expect(!shown(configuration).contains("hunter2"))
        #expect(!shown(OAuthToken("hunter2", lifetime: .seconds(1))).contains("hunter2"))
        #expect(!shown(PlainExchange(username: "alice", password: "hunter2")).contains("hunter2"))
        #expect(Secret("hunter2").value == "hunter2")
    }

    @Test("A properties file shows names and no values, also for unknown names")
    func files() throws {
        let file = try PropertiesFile(
            """
            bootstrap.servers=h:1
            sasl.password=hunter2
            sasl.pasword=hunter2
            sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required password="hunter2";
            """.utf8, path: "client.properties")
        #expect("\(file)" == "client.properties: bootstrap.servers, sasl.password, sasl.pasword, sasl.jaas.config")
        #expect("\(file.entries[1])" == "sasl.password=[hidden]")
        for text in [shown(file), shown(file.entries), shown(file.entries[3])] {
            #expect(text.contains("sasl.jaas.config"))
            #expect(!text.contains("hunter2"))
        }
        #expect(file.entries[1].value == "hunter2")
    }

    @Test("A secret in a broker's message is masked")
    func repeated() {
        #expect(Secret("hunter2").removed(from: "wrong password hunter2") == "wrong password [hidden]")
        #expect(Secret("").removed(from: "text") == "text")
        #expect(Secret("aa").removed(from: "aaaab") == "[hidden][hidden]b")
    }

    @Test("A secret is masked despite an adjacent combining mark", arguments: ["\u{301}", "\u{200d}", "\u{fe0f}"])
    func combined(mark: String) {
        for text in ["hunter2\(mark)", "x\(mark)hunter2\(mark) y", "\(mark)hunter2"] {
            let shown = Secret("hunter2").removed(from: text)
            #expect(!shown.unicodeScalars.map { String($0) }.joined().utf8.contains("2".utf8.first ?? 0), "\(shown)")
        }
    }

    @Test("A message that contains a secret in another normal form is masked as a whole")
    func normalised() {
        #expect(Secret("caf\u{e9}").removed(from: "wrong: cafe\u{301}") == "[hidden]")
        #expect(Secret("cafe\u{301}").removed(from: "wrong: caf\u{e9}") == "[hidden]")
        #expect(Secret("caf\u{e9}").removed(from: "wrong: caf\u{e9}!") == "wrong: [hidden]!")
    }
}
