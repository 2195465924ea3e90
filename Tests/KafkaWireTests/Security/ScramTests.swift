import Testing

@testable import KafkaWire

@Suite("SCRAM", .enabled(if: hasOpenSSL, "this build is without the trait TLS"))
struct ScramTests {
    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    /// RFC 7677, section 3.
    private func rfc7677() -> ScramExchange {
        ScramExchange(.sha256, username: "user", password: "pencil", nonce: "rOprNGfwEbeRWgbNEkqO")
    }

    private let serverFirst =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"

    @Test("SHA-256: the example of RFC 7677")
    func sha256() async throws {
        var exchange = rfc7677()
        #expect(text(try exchange.begin()) == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
        let proof = try await exchange.respond(to: Array(serverFirst.utf8))
        #expect(
            text(proof) == "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        let end = try await exchange.respond(to: Array("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".utf8))
        #expect(end == nil)
    }

    /// The values are those of an independent implementation (Python's hashlib and hmac) for the same messages.
    @Test("SHA-512")
    func sha512() async throws {
        var exchange = ScramExchange(.sha512, username: "user", password: "pencil", nonce: "rOprNGfwEbeRWgbNEkqO")
        _ = try exchange.begin()
        let proof = try await exchange.respond(to: Array(serverFirst.utf8))
        #expect(
            text(proof)?.hasSuffix(
                ",p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN"
                    + "8PPC6wdp6dybEmDYXYTxwnYPJQ==") == true)
        let signature =
            "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSe"
            + "VGT4+5ZxXnJq199RVG2rR7N7Zw=="
        let end = try await exchange.respond(to: Array(signature.utf8))
        #expect(end == nil)
    }

    @Test("Commas and equals signs in a user name are escaped")
    func names() throws {
        var exchange = ScramExchange(.sha256, username: "a,b=c", password: "p", nonce: "n")
        #expect(text(try exchange.begin()) == "n,,n=a=2Cb=3Dc,r=n")
    }

    @Test(
        "an invalid message of the broker is an error",
        arguments: [
            ("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "nonce"),
            ("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "nonce"),
            // The nonce of another client, of the right length.
            ("r=xOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "nonce"),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", "iteration count"),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=100001", "iteration count"),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-1", "iteration count"),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999", "iteration count"),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096", "salt"),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=%%%,i=4096", "salt"),
            ("m=ext,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "malformed SCRAM message"),
            ("", "malformed SCRAM message"),
            ("r", "malformed SCRAM message"),
        ])
    func malformed(message: String, reason: String) async throws {
        var exchange = rfc7677()
        _ = try exchange.begin()
        let error = await #expect(throws: KafkaError.self) { _ = try await exchange.respond(to: Array(message.utf8)) }
        #expect(error?.code == .saslAuthenticationFailed)
        #expect(error?.isRetriable == false)
        #expect(error?.message.contains(reason) == true, "\(String(describing: error))")
    }

    @Test("A broker that does not know the password is detected", arguments: ["v=AAAA", "v=", "e=other-error", "x"])
    func wrongSignature(message: String) async throws {
        var exchange = rfc7677()
        _ = try exchange.begin()
        _ = try await exchange.respond(to: Array(serverFirst.utf8))
        let error = await #expect(throws: KafkaError.self) { _ = try await exchange.respond(to: Array(message.utf8)) }
        #expect(error?.code == .saslAuthenticationFailed)
    }

    /// The hashes are those of an independent implementation (Python's hashlib) for the same password and salt.
    @Test(
        "only the salted hash of a new password is sent",
        arguments: [
            (
                ScramMechanism.sha256, Int32(4096),
                "5578e0060124833ff04c507d0f94ab82b1f67a7c5eb67771ad9b3b39ac838f95"
            ),
            (
                .sha512, 5000,
                "46c6743f80fedd3e6ee91d7bb48fd3feb9e12874a30221735056f057bcaf8d32"
                    + "7a42f7427a34bcb38fce56a5266048d3dfd5561ef662eb1345850f59edffaacd"
            ),
        ])
    func saltedPassword(mechanism: ScramMechanism, iterations: Int32, hash: String) async throws {
        let upsertion = try await ScramUpsertion(
            user: "user", mechanism, password: "pencil", iterations: iterations, salt: Array("salt of a test".utf8)
        ).salted()
        #expect(upsertion.name == "user")
        #expect(upsertion.mechanism == mechanism.rawValue)
        #expect(upsertion.iterations == iterations)
        #expect(upsertion.salt == ByteSlice(Array("salt of a test".utf8)))
        #expect(
            upsertion.saltedPassword
                == ByteSlice(
                    stride(from: 0, to: hash.count, by: 2).map { start in
                        let digits = hash.dropFirst(start).prefix(2)
                        return UInt8(digits, radix: 16) ?? 0
                    }))
    }

    @Test("Salts come from the generator, and differ")
    func salts() {
        func upsertion() -> ScramUpsertion { ScramUpsertion(user: "u", .sha256, password: "p") }
        #expect(upsertion().salt.count == 24)
        #expect(upsertion().salt != upsertion().salt)
        var counting = Counting()
        let known = ScramUpsertion(
            user: "u", .sha256, password: "p", iterations: 4096, salt: nil, using: &counting)
        var again = Counting()
        #expect(known.salt == (0..<24).map { _ in UInt8.random(in: 0...255, using: &again) })
        #expect(!"\(known)".contains("\"p\""))
    }

    private struct Counting: RandomNumberGenerator {
        var last: UInt64 = 0

        mutating func next() -> UInt64 {
            last &+= 0x0101_0101_0101_0101
            return last
        }
    }

    @Test("Nonces are printable, contain no comma, and differ")
    func nonces() {
        let nonces = (0..<100).map { _ in ScramExchange.randomNonce() }
        #expect(Set(nonces).count == 100)
        #expect(nonces.allSatisfy { $0.utf8.allSatisfy { 0x21...0x7e ~= $0 && $0 != UInt8(ascii: ",") } })
    }
}

/// Whether the library was built with OpenSSL.
let hasOpenSSL: Bool = {
    var list = PropertyList(["security.protocol": "SSL"])
    var security = SecurityConfiguration()
    return (try? SecurityProperties.take(&security, from: &list)) != nil
}()
