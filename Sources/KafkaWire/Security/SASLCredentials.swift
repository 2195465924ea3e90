/// Credentials for a SASL login.
///
/// - Important: PLAIN and OAUTHBEARER send the secret itself: use them over TLS only.
public struct SASLCredentials: Sendable {
    enum Kind: Sendable {
        case plain(username: String, password: Secret)
        case scram(ScramAlgorithm, username: String, password: Secret)
        case oauthBearer(OAuthTokenSource)
    }

    let kind: Kind

    /// A login by PLAIN, which sends name and password (RFC 4616).
    public static func plain(username: String, password: Secret) -> SASLCredentials {
        SASLCredentials(kind: .plain(username: username, password: password))
    }

    /// A login by SCRAM-SHA-256, in which client and broker prove to each other that they know the password
    /// (RFC 5802, RFC 7677; KIP-84).
    public static func scramSHA256(username: String, password: Secret) -> SASLCredentials {
        SASLCredentials(kind: .scram(.sha256, username: username, password: password))
    }

    /// A login by SCRAM-SHA-512.
    public static func scramSHA512(username: String, password: Secret) -> SASLCredentials {
        SASLCredentials(kind: .scram(.sha512, username: username, password: password))
    }

    /// A login by OAUTHBEARER, with an access token (RFC 7628; KIP-255).
    ///
    /// - Parameter token: Called when a connection needs a token and there is none, or four fifths of the last one's lifetime
    ///   are over. If it throws, the last token is used while it is valid. If there has been none yet, the call that needed
    ///   the connection throws SASL_AUTHENTICATION_FAILED with the error's description, and so does the next step of a
    ///   consumer; later failures are retried like lost connections. A `KafkaError` is thrown unchanged, and retried from
    ///   the beginning if it is retriable.
    public static func oauthBearer(
        token: @escaping @Sendable () async throws -> OAuthToken
    ) -> SASLCredentials {
        SASLCredentials(kind: .oauthBearer(OAuthTokenSource(token)))
    }

    /// The value of `sasl.mechanism`.
    public var mechanism: String {
        switch kind {
        case .plain: "PLAIN"
        case .scram(let algorithm, _, _): algorithm.mechanism
        case .oauthBearer: "OAUTHBEARER"
        }
    }

    /// The user's name; nil for OAUTHBEARER, whose token contains it.
    public var username: String? {
        switch kind {
        case .plain(let username, _), .scram(_, let username, _): username
        case .oauthBearer: nil
        }
    }
}
