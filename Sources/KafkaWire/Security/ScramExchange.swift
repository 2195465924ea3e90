/// SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677; KIP-84), without channel binding, which Kafka doesn't support.
///
/// Like Kafka, and unlike the RFC, it uses the password's bytes unchanged, without SASLprep.
struct ScramExchange: SASLExchange {
    /// The accepted iteration counts.
    ///
    /// RFC 7677 forbids lower counts, which make weak passwords easy to find. With higher counts a broker could waste this
    /// client's CPU time: 100,000 iterations take about 50 ms. Kafka's own brokers use at most 16,384.
    static let iterations = 4096...100_000

    private enum State {
        case start
        /// The first message without its header, which the proof covers.
        case sentFirst(bare: String)
        case sentProof(serverSignature: [UInt8])
        case done
    }

    private let algorithm: ScramAlgorithm
    private let username: String
    private let password: Secret
    private let nonce: String
    private var state = State.start

    /// - Parameter nonce: Unpredictable printable characters without commas.
    init(_ algorithm: ScramAlgorithm, username: String, password: Secret, nonce: String = ScramExchange.randomNonce()) {
        self.algorithm = algorithm
        self.username = username
        self.password = password
        self.nonce = nonce
    }

    /// 24 bytes from the system's random number generator, in base64.
    static func randomNonce() -> String {
        var system = SystemRandomNumberGenerator()
        return Base64.encode((0..<24).map { _ in UInt8.random(in: 0...255, using: &system) })
    }

    mutating func begin() throws(KafkaError) -> [UInt8] {
        // Escape scalars, not characters: a comma followed by a combining mark is another `Character`, but still ends the
        // field.
        let name = username.unicodeScalars.reduce(into: "") { name, scalar in
            switch scalar {
            case "=": name += "=3D"
            case ",": name += "=2C"
            default: name.unicodeScalars.append(scalar)
            }
        }
        let bare = "n=\(name),r=\(nonce)"
        state = .sentFirst(bare: bare)
        return Array("n,,\(bare)".utf8)
    }

    mutating func respond(to message: [UInt8]) async throws(KafkaError) -> [UInt8]? {
        guard let text = String(validating: message, as: UTF8.self) else {
            throw failure("a SCRAM message that is not valid UTF-8")
        }
        switch state {
        case .sentFirst(let bare):
            return try await prove(bare, text)
        case .sentProof(let signature):
            try check(text, signature)
            state = .done
            return nil
        case .start, .done:
            throw failure("an unexpected SCRAM message")
        }
    }

    func withoutSecrets(_ text: String) -> String { password.removed(from: text) }

    private mutating func prove(_ bare: String, _ serverFirst: String) async throws(KafkaError) -> [UInt8] {
        let fields = try self.fields(serverFirst, ["r", "s", "i"])
        guard fields[0].hasPrefix(nonce), fields[0].utf8.count > nonce.utf8.count else {
            throw failure("a SCRAM nonce that doesn't continue the client's")
        }
        guard let salt = Base64.decode(fields[1]), !salt.isEmpty else { throw failure("no SCRAM salt") }
        guard let iterations = Int(fields[2]), Self.iterations.contains(iterations) else {
            throw failure(
                "a SCRAM iteration count of \(fields[2].prefix(20)); \(Self.iterations.lowerBound) to "
                    + "\(Self.iterations.upperBound) are accepted")
        }
        let withoutProof = "c=biws,r=\(fields[0])"
        let keys = try await algorithm.keys(
            password: password, salt: salt, iterations: iterations, message: "\(bare),\(serverFirst),\(withoutProof)")
        state = .sentProof(serverSignature: keys.serverSignature)
        return Array("\(withoutProof),p=\(Base64.encode(keys.clientProof))".utf8)
    }

    /// Verifies the broker's signature, which proves that the broker knows the password too. An impostor could otherwise
    /// accept any password.
    private func check(_ serverFinal: String, _ signature: [UInt8]) throws(KafkaError) {
        if serverFinal.hasPrefix("e=") {
            throw KafkaError(
                .saslAuthenticationFailed, "the broker refused the login: \(withoutSecrets(serverFinal))",
                isFromBroker: true)
        }
        let fields = try self.fields(serverFinal, ["v"])
        guard Base64.decode(fields[0]) == signature else {
            throw failure("a wrong SCRAM signature: it doesn't know the password and may be an impostor")
        }
    }

    /// The values of a message's first attributes, which must have these names. Extensions may follow.
    private func fields(_ message: String, _ names: [Character]) throws(KafkaError) -> [String] {
        let parts = message.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count >= names.count,
            zip(parts, names).allSatisfy({ $0.first == $1 && $0.dropFirst().first == "=" })
        else { throw failure("a malformed SCRAM message; r=…,s=…,i=… or v=… is expected") }
        return parts.prefix(names.count).map { String($0.dropFirst(2)) }
    }

    private func failure(_ what: String) -> KafkaError {
        KafkaError(.saslAuthenticationFailed, "the broker sent \(what)")
    }
}
