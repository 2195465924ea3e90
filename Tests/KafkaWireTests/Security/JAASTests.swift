import Testing

@testable import KafkaWire

@Suite("sasl.jaas.config")
struct JAASTests {
    private static let scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
    private static let plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
    private static let oauth = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"

    @Test(
        "every form that Java's tools accept is parsed",
        arguments: [
            (#"m.M required username="alice" password="secret";"#, ["username": "alice", "password": "secret"]),
            (#"m.M required;"#, [:]),
            (
                "m.M\n  required\n  username='alice'\n  password=secret1 ;\n",
                ["username": "alice", "password": "secret1"]
            ),
            (#"m.M Required a="1" /* b="2" */ c="3"; // the end"#, ["a": "1", "c": "3"]),
            (#"m.M optional a="x;y=\"z\"\\";"#, ["a": #"x;y="z"\"#]),
            (#"m.M optional a="\t\101\0";"#, ["a": "\tA\0"]),
            (#"m.M required a="";"#, ["a": ""]),
            (#"m.M required a="ü€";"#, ["a": "ü€"]),
        ])
    func good(text: String, options: [String: String]) throws {
        let jaas = try JAASConfiguration(text)
        #expect(jaas.module == "m.M")
        #expect(jaas.options == options)
    }

    @Test(
        "any other text is an error that contains no part of the text",
        arguments: [
            ("", "login module"),
            (";", "login module"),
            ("m.M", "'required'"),
            ("m.M mandatory;", "'required'"),
            ("hunter2", "'required'"),
            (#"m.M required password="hunter2""#, "semicolon"),
            ("m.M required", "semicolon"),
            (#"m.M required password="hunter2"; n.N required;"#, "single login module"),
            (#"m.M required password;"#, "'='"),
            (#"m.M required password=;"#, "double quotes"),
            (#"m.M required password= "hunter2" "hunter2";"#, "name of an option"),
            (#"m.M required password="hunter2;"#, "is not closed"),
            (#"m.M required password="hunter2\"#, "is not closed"),
            ("m.M required password=\"hunter2\n\";", "is not closed"),
            (#"m.M required password=hunter2!;"#, "quotes"),
            (#"m.M required password="hunter2" password="hunter2";"#, "twice"),
            (#"m.M required /* password="hunter2";"#, "comment"),
            // Unquoted passwords, parts of which appear in place of names.
            ("m.M required username=alice password=correct hunter2;", "after option 3, '='"),
            (#"m.M required password="a"hunter2"e";"#, "after option 2, '='"),
            ("m.M required password=a hunter2=;", "option 2 has no value"),
            ("m.M required password=a hunter2=b hunter2=c;", "option 3 is given twice"),
            ("m.M required password=a password;", "after password, '='"),
        ])
    func bad(text: String, reason: String) {
        let error = #expect(throws: KafkaError.self) { try JAASConfiguration(text) }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.contains(reason) == true, "\(String(describing: error))")
        #expect(error?.message.contains("hunter2") == false)
    }

    @Test("The login module must match the mechanism")
    func modules() throws {
        let login = #" required username="alice" password="secret";"#
        let credentials = try SASLCredentials(jaas: Self.scram + login, mechanism: "SCRAM-SHA-512")
        #expect(credentials.mechanism == "SCRAM-SHA-512")
        #expect(credentials.username == "alice")
        #expect(try SASLCredentials(jaas: Self.plain + login, mechanism: "PLAIN").mechanism == "PLAIN")
        let wrong: [(text: String, mechanism: String, reason: String)] = [
            ("\(Self.plain)\(login)", "SCRAM-SHA-256", "the login module for PLAIN"),
            ("\(Self.scram)\(login)", "PLAIN", "the login module for SCRAM-SHA-256 and SCRAM-SHA-512"),
            ("com.sun.security.auth.module.Krb5LoginModule required;", "PLAIN", "Krb5LoginModule"),
            ("\(Self.plain) required username=\"alice\";", "PLAIN", "no password"),
            ("\(Self.plain) required user_alice=\"secret\";", "PLAIN", "username and password: option 1;"),
            ("\(Self.scram) required tokenauth=true;", "SCRAM-SHA-256", "username and password: tokenauth;"),
            ("\(Self.oauth) required clientSecret=\"secret\";", "OAUTHBEARER", "the option clientSecret"),
            // Unquoted passwords, parts of which appear in place of names.
            ("\(Self.plain) required username=a password=b hunter2=c;", "PLAIN", "username and password: option 3;"),
            ("\(Self.oauth) required clientSecret=a hunter2=c;", "OAUTHBEARER", "unknown option: option 2;"),
            ("hunter2 required password=a;", "PLAIN", "no login module"),
            ("\(Self.oauth) required;", "OAUTHBEARER", "needs a token"),
        ]
        for (text, mechanism, reason) in wrong {
            let error = #expect(throws: KafkaError.self) { try SASLCredentials(jaas: text, mechanism: mechanism) }
            #expect(error?.message.contains(reason) == true, "\(String(describing: error))")
            #expect(error?.message.contains("\"secret\"") == false)
            #expect(error?.message.contains("hunter2") == false)
        }
    }
}
