import Foundation

/// Tokens that nobody signs, for brokers in development: what Kafka's Java tools make of
/// `OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="alice";` (KIP-255).
struct UnsecuredToken {
    private let claims: [String: String]
    private let lifetime: Int

    /// - Parameter options: `unsecuredLoginStringClaim_NAME`, where `sub` has to be among them, and
    ///   `unsecuredLoginLifetimeSeconds` (3600).
    /// - Throws: INVALID_CONFIG for other options.
    init(_ options: [String: String]) throws(KafkaError) {
        let prefix = "unsecuredLoginStringClaim_"
        var claims: [String: String] = [:]
        var lifetime = 3600
        for (name, value) in options.sorted(by: { $0.key < $1.key }) {
            if name.hasPrefix(prefix) {
                claims[String(name.dropFirst(prefix.count))] = value
            } else if name == "unsecuredLoginLifetimeSeconds" {
                guard let seconds = Int(value), 1...1_000_000_000 ~= seconds else {
                    throw KafkaError(.invalidConfig, "\(name) in sasl.jaas.config isn't a number of seconds")
                }
                lifetime = seconds
            } else {
                throw KafkaError(
                    .invalidConfig,
                    "sasl.jaas.config has the option \(name), which this client doesn't know: a token comes from "
                        + "SASLCredentials.oauthBearer, or unsigned from \(prefix)sub")
            }
        }
        guard claims["sub"] != nil else {
            throw KafkaError(
                .invalidConfig,
                "OAUTHBEARER needs a token: give SASLCredentials.oauthBearer in the code, or, where the broker takes "
                    + "unsigned tokens, \(prefix)sub in sasl.jaas.config")
        }
        self.claims = claims
        self.lifetime = lifetime
    }

    var credentials: SASLCredentials {
        .oauthBearer { try token(.now) }
    }

    func token(_ now: Date) throws -> OAuthToken {
        let seconds = Int(now.timeIntervalSince1970)
        var body: [String: any Sendable] = ["iat": seconds, "exp": seconds + lifetime]
        for (name, value) in claims { body[name] = value }
        let parts = try [["alg": "none"], body].map { part in
            Base64.encodeForURL([UInt8](try JSONSerialization.data(withJSONObject: part, options: .sortedKeys)))
        }
        return OAuthToken(Secret(parts.joined(separator: ".") + "."), lifetime: .seconds(lifetime))
    }
}
