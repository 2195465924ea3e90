/// The client's side of one login by a SASL mechanism.
protocol SASLExchange {
    /// The first message to the broker.
    mutating func begin() throws(KafkaError) -> [UInt8]

    /// The reply to a broker's message; nil when the login is complete and the broker is verified.
    mutating func respond(to message: [UInt8]) async throws(KafkaError) -> [UInt8]?

    /// A text from the broker, with the secrets of this login masked.
    func withoutSecrets(_ text: String) -> String
}

/// SASL/PLAIN (RFC 4616).
struct PlainExchange: SASLExchange {
    let username: String
    let password: Secret

    mutating func begin() throws(KafkaError) -> [UInt8] {
        guard !username.utf8.contains(0), !password.value.utf8.contains(0) else {
            throw KafkaError(.invalidConfig, "a user name or password for PLAIN must not contain the character NUL")
        }
        return [0] + username.utf8 + [0] + password.value.utf8
    }

    mutating func respond(to _: [UInt8]) async throws(KafkaError) -> [UInt8]? { nil }

    func withoutSecrets(_ text: String) -> String { password.removed(from: text) }
}

/// SASL/OAUTHBEARER (RFC 7628).
struct OAuthBearerExchange: SASLExchange {
    let token: OAuthToken
    private var complaint: String?

    init(token: OAuthToken) {
        self.token = token
    }

    mutating func begin() throws(KafkaError) -> [UInt8] {
        // RFC 6750, section 2.1: b64token. Anything else could end the field and begin another.
        let punctuation = "-._~+/="
        guard !token.value.value.isEmpty,
            token.value.value.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || punctuation.contains($0)) })
        else {
            throw KafkaError(
                .invalidConfig, "the OAuth token contains characters that are not valid in an access token")
        }
        var message = "n,,\u{1}auth=Bearer \(token.value.value)\u{1}"
        for (key, value) in token.extensions.sorted(by: { $0.key < $1.key }) {
            guard !key.isEmpty, key != "auth", key.allSatisfy({ $0.isASCII && $0.isLetter }) else {
                throw KafkaError(
                    .invalidConfig,
                    "'\(key)' is not a valid name for an OAuth extension: it must consist of letters and not be 'auth'")
            }
            guard value.unicodeScalars.allSatisfy({ 0x20...0x7e ~= $0.value || "\t\r\n".unicodeScalars.contains($0) })
            else {
                throw KafkaError(.invalidConfig, "the OAuth extension \(key) contains characters that can't be sent")
            }
            message += "\(key)=\(value)\u{1}"
        }
        return Array((message + "\u{1}").utf8)
    }

    /// A broker that refuses the token sends the reason as JSON, expects a single byte as the reply, and then reports the
    /// failure.
    mutating func respond(to message: [UInt8]) async throws(KafkaError) -> [UInt8]? {
        if message.isEmpty { return nil }
        if let complaint { throw refusal(complaint) }
        complaint = withoutSecrets(String(decoding: message, as: UTF8.self))
        return [1]
    }

    /// The broker's reason for refusing the token; nil if it has not refused it.
    var reason: String? { complaint }

    func withoutSecrets(_ text: String) -> String { token.value.removed(from: text) }

    private func refusal(_ reason: String) -> KafkaError {
        KafkaError(.saslAuthenticationFailed, "the broker refused the OAuth token: \(reason)", isFromBroker: true)
    }
}
