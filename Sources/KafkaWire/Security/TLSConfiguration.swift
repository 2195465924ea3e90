/// The settings for TLS: versions, trusted certificates, and the client's own certificate. The minimum is TLS 1.2.
public struct TLSConfiguration: Sendable {
    /// Certificates or a key in PEM format (RFC 7468).
    @nonexhaustive
    public enum PEM: Sendable {
        /// The path of a file. It is read for each connection, so that renewed certificates take effect.
        case file(String)
        /// The text, with its lines `-----BEGIN …-----`.
        case text(Secret)
    }

    /// The certificate that the client presents if the broker asks for one (the broker's `ssl.client.auth`).
    public struct ClientCertificate: Sendable {
        /// The client's certificate, followed by intermediate certificates.
        public var chain: PEM
        /// The private key of the client's certificate, plain or encrypted.
        public var key: PEM
        /// `ssl.key.password`: the password of an encrypted key; nil for a plain one.
        public var password: Secret?

        /// Creates a client certificate.
        ///
        /// - Parameters:
        ///   - chain: The client's certificate, followed by intermediate certificates.
        ///   - key: The private key of the client's certificate, plain or encrypted.
        ///   - password: The password of an encrypted key; nil for a plain one.
        public init(chain: PEM, key: PEM, password: Secret? = nil) {
            self.chain = chain
            self.key = key
            self.password = password
        }
    }

    /// A version of TLS.
    ///
    /// Open: there will be newer versions. A client accepts only those that are named here, others are INVALID_CONFIG.
    public struct Version: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
        /// The version's number in the TLS protocol, such as 0x0304.
        public let rawValue: UInt16

        /// Creates a version from its number in the TLS protocol.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// TLS 1.2 (RFC 5246).
        public static let tls12 = Version(rawValue: 0x0303)
        /// TLS 1.3 (RFC 8446).
        public static let tls13 = Version(rawValue: 0x0304)

        static let names: KeyValuePairs<String, Version> = ["TLSv1.2": .tls12, "TLSv1.3": .tls13]

        /// Orders versions from older to newer.
        public static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }

        /// Kafka's name, such as `TLSv1.3`; the number of an unknown version.
        public var description: String { Self.names.key(of: self) ?? "\(rawValue)" }
    }

    /// `ssl.truststore.location`, `ssl.truststore.certificates`: the certificate authorities that the client trusts; nil for
    /// those that the system trusts.
    public var trustedCertificates: PEM?
    /// `ssl.keystore.location`, or `ssl.keystore.certificate.chain` and `ssl.keystore.key`: the certificate that the client
    /// presents; nil for none.
    public var clientCertificate: ClientCertificate?
    /// `ssl.endpoint.identification.algorithm`: whether a broker's certificate must be for the host name or IP address that
    /// the client connects to. If false, anybody with a certificate of a trusted CA can impersonate the broker.
    public var verifiesHostName = true
    /// `ssl.enabled.protocols`, `ssl.protocol`: the oldest and the newest version that the client uses.
    public var versions: ClosedRange<Version> = .tls12 ... .tls13

    /// Creates settings. The files are read for each connection, which fails with INVALID_CONFIG if they cannot be read.
    public init(trustedCertificates: PEM? = nil, clientCertificate: ClientCertificate? = nil) {
        self.trustedCertificates = trustedCertificates
        self.clientCertificate = clientCertificate
    }
}
