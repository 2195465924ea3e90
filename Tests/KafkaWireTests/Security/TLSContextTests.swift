#if TLS
    import Foundation
    import Testing

    @testable import KafkaWire

    @Suite("TLS contexts")
    struct TLSContextTests {
        /// A CA for these tests, valid until 2126. Its key was discarded.
        private static let certificate = """
            -----BEGIN CERTIFICATE-----
            MIIBfTCCASOgAwIBAgIUTYQIeiJ9a5/UV7SJjIQ7VVXuizMwCgYIKoZIzj0EAwIw
            EzERMA8GA1UEAwwIUGxhbnQgQ0EwIBcNMjYxMTI5MTgwNDI4WhgPMjEyNjExMDUx
            ODA0MjhaMBMxETAPBgNVBAMMCFBsYW50IENBMFkwEwYHKoZIzj0CAQYIKoZIzj0D
            AQcDQgAE0jYjAspBedZydt3mw6QcDsUvkcd2t8rL+qnro3NXdfEszdZRltE+4bJR
            Y8jtLY7E2BsUQoG/jrNCfTyWpaOvNKNTMFEwHQYDVR0OBBYEFK3eq3+a01uUE96n
            2/7AYe0iGagVMB8GA1UdIwQYMBaAFK3eq3+a01uUE96n2/7AYe0iGagVMA8GA1Ud
            EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgSV9eJRU2w8UAnTm/sSS+j839
            nVyHYjX0l+6Y9ArYz2cCIQCCViiuT7JDj0LvXjtkEqUiCeusSpUUu7xnjyJ7SVnz
            nQ==
            -----END CERTIFICATE-----
            """

        private func context(trusting text: String) throws(KafkaError) {
            _ = try TLSContext(TLSConfiguration(trustedCertificates: .text(Secret(text))))
        }

        /// OpenSSL once read memory that was free by then; in optimised programs, and with the address sanitizer, each
        /// of these failed.
        @Test("Certificates are read from any number of texts")
        func certificates() throws {
            for count in 1...20 {
                let text = String(repeating: Self.certificate + "\n\n", count: count)
                try context(trusting: text)
                try context(trusting: text.replacing("\n", with: " "))
            }
        }

        @Test("A text without a certificate is refused", arguments: ["", " ", "-----BEGIN CERTIFICATE-----", "x"])
        func noCertificate(text: String) {
            let error = #expect(throws: KafkaError.self) { try context(trusting: text) }
            #expect(error?.code == .invalidConfig)
        }

        @Test("An encrypted certificate is refused without a password prompt")
        func encrypted() {
            let body = Self.certificate.split(separator: "\n").dropFirst().dropLast().joined(separator: "\n")
            let text =
                "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
                + String(repeating: "0", count: 32) + "\n\n\(body)\n-----END CERTIFICATE-----\n"
            let error = #expect(throws: KafkaError.self) { try context(trusting: text) }
            #expect(error?.code == .invalidConfig)
        }

        /// Without the client's own check, OpenSSL would verify nothing or a whole domain for the first names. It refuses the last
        @Test(
            "a host name that can't be verified is refused",
            arguments: [
                "", ".example.com", "good.example.com\0.bad.example.com", "a\0", String(repeating: "a", count: 300),
            ])
        func hosts(host: String) throws {
            for verifies in [true, false] {
                var configuration = TLSConfiguration(trustedCertificates: .text(Secret(Self.certificate)))
                configuration.verifiesHostName = verifies
                let peer = TLSPeer(host: host, port: 9093, configuration: configuration)
                #expect(throws: KafkaError.self) {
                    _ = try TLSSession(over: -1, TLSContext(peer.configuration), peer: peer)
                }
            }
        }

        @Test("Host names and IP addresses can be verified", arguments: ["example.com", "127.0.0.1", "::1"])
        func goodHosts(host: String) throws {
            let configuration = TLSConfiguration(trustedCertificates: .text(Secret(Self.certificate)))
            _ = try TLSSession(
                over: -1, TLSContext(configuration),
                peer: TLSPeer(host: host, port: 9093, configuration: configuration))
        }
    }
#endif
