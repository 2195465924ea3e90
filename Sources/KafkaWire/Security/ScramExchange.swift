/// SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677; KIP-84), without channel binding, which Kafka doesn't have.
///
/// As Kafka does, and other than the RFC asks, the password's bytes are taken as they are, without SASLprep.
struct ScramExchange: SASLExchange {
    /// Fewer are what RFC 7677 forbids, and give away a weak password; more would only burn this client's time.
    static let iterations = 4096...1_000_000

    private enum State {
        case start
        /// The first message without its header, which is part of what is proven.
        case sentFirst(bare: String)
        case sentProof(serverSignature: [UInt8])
        case done
    }

    private let algorithm: ScramAlgorithm
    private let username: String
    private let password: Secret
    private let nonce: String
    private var state = State.start

    /// - Parameter nonce: Printable characters without commas that nobody can guess.
    init(_ algorithm: ScramAlgorithm, username: String, password: Secret, nonce: String = ScramExchange.randomNonce()) {
        self.algorithm = algorithm
        self.username = username
        self.password = password
        self.nonce = nonce
    }

    /// 24 bytes of the system's random generator.
    static func randomNonce() -> String {
        var system = SystemRandomNumberGenerator()
        return Base64.encode((0..<24).map { _ in UInt8.random(in: 0...255, using: &system) })
    }

    mutating func begin() throws(KafkaError) -> [UInt8] {
        // Scalar by scalar: a comma with a combining mark behind it is another `Character`, and still ends the field.
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
            throw failure("a SCRAM message that isn't text")
        }
        switch state {
        case .sentFirst(let bare):
            return try await prove(bare, text)
        case .sentProof(let signature):
            try check(text, signature)
            state = .done
            return nil
        case .start, .done:
            throw failure("a SCRAM message that isn't due")
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
                    + "\(Self.iterations.upperBound) are taken")
        }
        let unproven = "c=biws,r=\(fields[0])"
        let keys = try await algorithm.keys(
            password: password, salt: salt, iterations: iterations, message: "\(bare),\(serverFirst),\(unproven)")
        state = .sentProof(serverSignature: keys.serverSignature)
        return Array("\(unproven),p=\(Base64.encode(keys.clientProof))".utf8)
    }

    /// The broker's signature shows that it knows the password too, and isn't somebody who only takes any for right.
    private func check(_ serverFinal: String, _ signature: [UInt8]) throws(KafkaError) {
        if serverFinal.hasPrefix("e=") {
            throw KafkaError(
                .saslAuthenticationFailed, "the broker refused the login: \(withoutSecrets(serverFinal))",
                isFromBroker: true)
        }
        let fields = try self.fields(serverFinal, ["v"])
        guard Base64.decode(fields[0]) == signature else {
            throw failure("a wrong SCRAM signature: it doesn't know the password and may not be the right one")
        }
    }

    /// The values of a message's first attributes, which have to have these names. Extensions may follow them.
    private func fields(_ message: String, _ names: [Character]) throws(KafkaError) -> [String] {
        let parts = message.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count >= names.count,
            zip(parts, names).allSatisfy({ $0.first == $1 && $0.dropFirst().first == "=" })
        else { throw failure("a SCRAM message of another form than r=…,s=…,i=… or v=…") }
        return parts.prefix(names.count).map { String($0.dropFirst(2)) }
    }

    private func failure(_ what: String) -> KafkaError {
        KafkaError(.saslAuthenticationFailed, "the broker sent \(what)")
    }
}
