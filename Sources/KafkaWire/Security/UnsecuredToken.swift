import Foundation

/// An unsigned token for development brokers, as Kafka's Java tools create it from
/// `OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="alice";` (KIP-255).
struct UnsecuredToken {
    private let claims: [String: String]
    private let lifetime: Int

    /// - Parameter options: `unsecuredLoginStringClaim_NAME` for each claim, of which `sub` is required, and
    ///   `unsecuredLoginLifetimeSeconds` (default: 3600).
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
                    "this client doesn't support the option \(name) in sasl.jaas.config: set a token with "
                        + "SASLCredentials.oauthBearer, or an unsigned one with \(prefix)sub")
            }
        }
        guard claims["sub"] != nil else {
            throw KafkaError(
                .invalidConfig,
                "OAUTHBEARER needs a token: set SASLCredentials.oauthBearer in the code or, if the broker accepts "
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
