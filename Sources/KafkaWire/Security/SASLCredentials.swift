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

    /// Name and password as they are (RFC 4616).
    public static func plain(username: String, password: Secret) -> SASLCredentials {
        SASLCredentials(kind: .plain(username: username, password: password))
    }

    /// Proves to the broker that the client knows the password, and to the client that the broker does
    /// (RFC 5802, RFC 7677; KIP-84).
    public static func scramSHA256(username: String, password: Secret) -> SASLCredentials {
        SASLCredentials(kind: .scram(.sha256, username: username, password: password))
    }

    /// The same with SHA-512.
    public static func scramSHA512(username: String, password: Secret) -> SASLCredentials {
        SASLCredentials(kind: .scram(.sha512, username: username, password: password))
    }

    /// An access token (RFC 7628; KIP-255).
    ///
    /// - Parameter token: Called when a connection needs a token and there is none, or the last one is four fifths
    ///   through its lifetime. Where it throws, the last token serves as long as it is good. Where there has been
    ///   none yet, the call that needed the connection throws SASL_AUTHENTICATION_FAILED with the error's description,
    ///   and so does the next step of a consumer; later it is tried again, as lost connections are. A `KafkaError` is
    ///   thrown as it is: one that is retriable is tried again from the first.
    public static func oauthBearer(
        token: @escaping @Sendable () async throws -> OAuthToken
    ) -> SASLCredentials {
        SASLCredentials(kind: .oauthBearer(OAuthTokenSource(token)))
    }

    /// The mechanism's name, as in `sasl.mechanism`.
    public var mechanism: String {
        switch kind {
        case .plain: "PLAIN"
        case .scram(let algorithm, _, _): algorithm.mechanism
        case .oauthBearer: "OAUTHBEARER"
        }
    }

    /// The user's name; nil where the token says it.
    public var username: String? {
        switch kind {
        case .plain(let username, _), .scram(_, let username, _): username
        case .oauthBearer: nil
        }
    }
}
