/// Encryption and login of a client's connections.
///
/// `security.protocol` is the combination of the two:
///
/// | | no login | a login by SASL |
/// | --- | --- | --- |
/// | **no encryption** | `PLAINTEXT` | `SASL_PLAINTEXT` |
/// | **TLS** | `SSL` | `SASL_SSL` |
public struct SecurityConfiguration: Sendable {
    /// The settings for TLS; nil for connections without encryption.
    public var tls: TLSConfiguration?
    /// The login; nil for none.
    public var sasl: SASLCredentials?

    /// Creates settings; by default without encryption and without a login.
    public init(tls: TLSConfiguration? = nil, sasl: SASLCredentials? = nil) {
        self.tls = tls
        self.sasl = sasl
    }

    /// The value of `security.protocol`.
    public var securityProtocol: String { Self.securityProtocol(tls: tls != nil, sasl: sasl != nil) }

    static func securityProtocol(tls: Bool, sasl: Bool) -> String {
        (sasl ? "SASL_" : "") + (tls ? "SSL" : "PLAINTEXT")
    }
}
