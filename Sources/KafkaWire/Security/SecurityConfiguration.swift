/// How a client and a broker make sure of each other: encryption, and who the client is.
///
/// `security.protocol` is what the two are together:
///
/// | | no login | a login by SASL |
/// | --- | --- | --- |
/// | **in plain** | `PLAINTEXT` | `SASL_PLAINTEXT` |
/// | **in TLS** | `SSL` | `SASL_SSL` |
public struct SecurityConfiguration: Sendable {
    /// Nil for connections in plain.
    public var tls: TLSConfiguration?
    /// Nil for no login.
    public var sasl: SASLCredentials?

    /// In plain and without a login where nothing is given.
    public init(tls: TLSConfiguration? = nil, sasl: SASLCredentials? = nil) {
        self.tls = tls
        self.sasl = sasl
    }

    /// The value of `security.protocol` that says the same.
    public var securityProtocol: String { Self.securityProtocol(tls: tls != nil, sasl: sasl != nil) }

    static func securityProtocol(tls: Bool, sasl: Bool) -> String {
        (sasl ? "SASL_" : "") + (tls ? "SSL" : "PLAINTEXT")
    }
}
