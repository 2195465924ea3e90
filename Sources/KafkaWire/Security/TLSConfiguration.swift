/// How connections are encrypted, and whom they trust. The minimum is TLS 1.2.
public struct TLSConfiguration: Sendable {
    /// Certificates or a key in PEM form (RFC 7468).
    public enum PEM: Sendable {
        /// The path of a file, which is read at each connection: certificates that are renewed on disk are used.
        case file(String)
        /// The text itself, with its lines `-----BEGIN …-----`.
        case text(Secret)
    }

    /// What the client shows a broker that asks who it is (`ssl.client.auth` at the broker).
    public struct ClientCertificate: Sendable {
        /// The client's certificate first, then those between it and the CA.
        public var chain: PEM
        /// The private key of the client's certificate, in the clear or encrypted.
        public var key: PEM
        /// `ssl.key.password`: what an encrypted key is encrypted with.
        public var password: Secret?

        /// - Parameters:
        ///   - chain: The client's certificate first, then those between it and the CA.
        ///   - key: The private key of the client's certificate, in the clear or encrypted.
        ///   - password: Nil for a key in the clear.
        public init(chain: PEM, key: PEM, password: Secret? = nil) {
            self.chain = chain
            self.key = key
            self.password = password
        }
    }

    /// A version of TLS, by Kafka's names `TLSv1.2` and `TLSv1.3`.
    public enum Version: Int, Comparable, Sendable {
        /// `tls12` is RFC 5246, `tls13` is RFC 8446.
        case tls12, tls13

        public static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }
    }

    /// `ssl.truststore.location`, `ssl.truststore.certificates`: whose signature on a broker's certificate is believed;
    /// nil for those that the system trusts.
    public var trustedCertificates: PEM?
    /// `ssl.keystore.location`, or `ssl.keystore.certificate.chain` and `ssl.keystore.key`: what the client shows a
    /// broker that asks; nil for nothing.
    public var clientCertificate: ClientCertificate?
    /// `ssl.endpoint.identification.algorithm`: whether a broker's certificate has to be for the name, or IP address, by
    /// which the client reaches it. Without it anybody with a certificate of a trusted CA can pose as the broker.
    public var verifiesHostName = true
    /// `ssl.enabled.protocols`, `ssl.protocol`: the oldest and the newest version that the client speaks.
    public var versions: ClosedRange<Version> = .tls12 ... .tls13

    /// Files aren't read before the first connection, and then for each: INVALID_CONFIG where they can't be.
    public init(trustedCertificates: PEM? = nil, clientCertificate: ClientCertificate? = nil) {
        self.trustedCertificates = trustedCertificates
        self.clientCertificate = clientCertificate
    }
}
